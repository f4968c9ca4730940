import type { Kind, PrinterColumn } from './definition.ts';
import { Model } from './model.ts';
import { Plan } from './plan.ts';
import { Tenant } from './tenant.ts';

const ready: PrinterColumn = {
  name: 'Ready',
  type: 'string',
  description: 'Whether it is as wished.',
  jsonPath: '.status.conditions[?(@.type=="Ready")].status',
};
const age: PrinterColumn = {
  name: 'Age',
  type: 'date',
  description: 'Time since it was made.',
  jsonPath: '.metadata.creationTimestamp',
};
const message: PrinterColumn = {
  name: 'Message',
  type: 'string',
  description: 'Why it is not ready.',
  jsonPath: '.status.conditions[?(@.type=="Ready")].message',
  priority: 1,
};
const column = (name: string, description: string, jsonPath: string): PrinterColumn => ({
  name,
  type: 'string',
  description,
  jsonPath,
});

/** Every kind of ours, in the order in which their files are written. */
export const kinds: readonly Kind[] = [
  {
    kind: 'Tenant',
    plural: 'tenants',
    singular: 'tenant',
    shortNames: ['tn'],
    description: 'A tenant with a chat, a model gateway, a database and a budget it can never exceed.',
    columns: [
      ready,
      column('Reason', 'Why, in one word.', '.status.conditions[?(@.type=="Ready")].reason'),
      column('Plan', 'Name of the Plan.', '.spec.plan'),
      column('URL', 'Where people chat.', '.status.url'),
      column('Spent', 'Euro posted in the current month.', '.status.budget.spentEur'),
      column('Budget', 'Euro granted for the current month.', '.status.budget.grantedEur'),
      age,
      message,
    ],
    schema: Tenant,
  },
  {
    kind: 'Plan',
    plural: 'plans',
    singular: 'plan',
    shortNames: ['cfplan'],
    description: 'A plan: what a tenant may spend and use, and what it costs per month.',
    columns: [
      ready,
      column('Price', 'Euro per month; empty: by agreement.', '.spec.pricePerMonthEur'),
      column('Budget', 'Euro per month for models.', '.spec.monthlyBudgetEur'),
      { ...column('Members', 'People a tenant may have; empty: any number.', '.spec.maxMembers'), type: 'integer' },
      column('Classes', 'Classes of Models it includes.', '.spec.modelClasses'),
      { ...column('Support', 'Support that belongs to it.', '.spec.supportLevel'), priority: 1 },
      age,
      message,
    ],
    schema: Plan,
  },
  {
    kind: 'Model',
    plural: 'models',
    singular: 'model',
    shortNames: ['cfmodel'],
    description: 'A model that people can choose: where it is served, its limits and its prices.',
    columns: [
      ready,
      column('Class', 'Which Plans include it.', '.spec.class'),
      column('Mode', 'What it does.', '.spec.mode'),
      column('Input', 'US dollars per million input tokens.', '.spec.prices.inputUsdPerMillion'),
      column('Output', 'US dollars per million output tokens.', '.spec.prices.outputUsdPerMillion'),
      column('Replaced by', 'Name of its successor.', '.spec.replacedBy'),
      age,
      message,
    ],
    schema: Model,
  },
];
