import { Check, Languages, Monitor, Moon, Sun } from 'lucide-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Button } from '../components/ui/button.tsx';
import { Menu, MenuItem, MenuLabel, MenuSeparator } from '../components/ui/menu.tsx';
import { changeLanguage } from '../i18n/i18n.ts';
import { languageNames, languages } from '../i18n/languages.ts';
import { chooseTheme, currentTheme, themes } from './theme.ts';

const themeIcons = { system: Monitor, light: Sun, dark: Moon };

/** Language and colours of this browser; on every page, signed in or not. */
export function Preferences() {
  const { t, i18n } = useTranslation();
  const [theme, setTheme] = useState(currentTheme);
  return (
    <Menu
      trigger={
        <Button variant="ghost" size="small">
          <Languages aria-hidden />
          <span className="sr-only">{t('shell.preferences')}</span>
          {i18n.language.toUpperCase()}
        </Button>
      }
    >
      <MenuLabel>{t('shell.language')}</MenuLabel>
      {languages.map((language) => (
        <MenuItem key={language} onSelect={() => changeLanguage(language, true)} lang={language}>
          <Check aria-hidden className={i18n.language === language ? '' : 'invisible'} />
          {languageNames[language]}
          {i18n.language === language ? <span className="sr-only">({t('shell.chosen')})</span> : null}
        </MenuItem>
      ))}
      <MenuSeparator />
      <MenuLabel>{t('shell.colours')}</MenuLabel>
      {themes.map((choice) => {
        const Icon = themeIcons[choice];
        return (
          <MenuItem
            key={choice}
            onSelect={() => {
              chooseTheme(choice);
              setTheme(choice);
            }}
          >
            <Check aria-hidden className={theme === choice ? '' : 'invisible'} />
            {t(`shell.theme.${choice}`)}
            {theme === choice ? <span className="sr-only">({t('shell.chosen')})</span> : null}
            <Icon aria-hidden className="ml-auto" />
          </MenuItem>
        );
      })}
    </Menu>
  );
}
