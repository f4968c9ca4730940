// Runs before the first paint: a chosen colour scheme and language hold from the first pixel on.
try {
  const theme = localStorage.getItem('theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch {
  // storage is closed to us: the system's scheme it is
}
