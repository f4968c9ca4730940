/** The same tree of keys with texts of another language: a key that one of them lacks does not compile. */
export type TextsLike<Texts> = {
  readonly [Key in keyof Texts]: Texts[Key] extends string ? string : TextsLike<Texts[Key]>;
};
