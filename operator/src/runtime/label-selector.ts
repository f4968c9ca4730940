/** One requirement of a selector. */
type Requirement = (labels: Readonly<Record<string, string>>) => boolean;

/**
 * Parses the string form of a label selector (`a=b,c!=d,e,!f,g in (x,y),h notin (z)`) into a test of labels.
 * Throws on anything else.
 */
export function parseLabelSelector(selector: string): Requirement {
  const parts = selector.split(/,(?![^(]*\))/).map((part) => part.trim());
  const requirements = parts.filter((part) => part !== '').map(parseRequirement);
  return (labels) => requirements.every((holds) => holds(labels));
}

function parseRequirement(text: string): Requirement {
  const set = /^(\S+)\s+(in|notin)\s+\(([^)]*)\)$/.exec(text);
  if (set !== null) {
    const [, key = '', operator, list = ''] = set;
    const values = new Set(list.split(',').map((value) => value.trim()));
    return (labels) => values.has(labels[key] ?? '') === (operator === 'in') && (operator !== 'in' || key in labels);
  }
  const equality = /^([^\s=!]+)\s*(==|=|!=)\s*(\S*)$/.exec(text);
  if (equality !== null) {
    const [, key = '', operator, value] = equality;
    return (labels) => (labels[key] === value) === (operator !== '!=');
  }
  const existence = /^(!?)([^\s=!]+)$/.exec(text);
  if (existence === null) throw new Error(`not a label selector: ${text}`);
  const [, absent, key = ''] = existence;
  return (labels) => key in labels === (absent === '');
}
