import { z } from 'zod';
import { FILE_KINDS, MAX_UPLOADED_FILES } from '../../files/file-kinds.ts';
import { Problem, problem } from '../../http/problem.ts';
import { type Answer, route } from '../../http/route.ts';
import { withTenant } from '../tenants/tenant-view.ts';
import { FileParams, FileView, fileView } from './file-view.ts';

const { types, maxBytes } = FILE_KINDS.logo;

export const putLogo = route({
  method: 'put',
  path: '/v1/tenants/{tenant}/files/{kind}/{name}',
  id: 'putLogo',
  summary: 'Upload a logo, in place of the one of its name',
  tag: 'Files',
  access: 'files.write',
  // Exports and invoices are made by us.
  params: FileParams.extend({ kind: z.literal('logo') }),
  upload: { types, maxBytes },
  responses: {
    200: { description: 'Replaced', schema: FileView },
    201: { description: 'Stored', schema: FileView },
    404: { description: 'No such tenant', schema: Problem },
    409: { description: 'The tenant has as many logos, or as many bytes, as it may', schema: Problem },
    413: { description: 'Larger than a logo may be', schema: Problem },
    415: {
      description: 'No PNG, JPEG or WebP, whatever it is called. SVG is not taken: it may hold scripts',
      schema: Problem,
    },
    503: { description: 'There is no storage for files, or it does not answer', schema: Problem },
  },
  run: (services, { params, principal, upload }) =>
    withTenant(services, params.tenant, async (tenant) => {
      if (upload === undefined) throw new Error('a route that takes files was given none');
      const stored = await services.files.store({
        tenantId: tenant.id,
        kind: 'logo',
        name: params.name,
        content: upload.content,
        contentType: upload.type,
        ...(principal.kind === 'person' && { personId: principal.person.id }),
      });
      if (!('file' in stored)) return refusal(stored.outcome);
      const view = fileView(stored.file);
      const status = stored.outcome === 'created' ? 201 : 200;
      return { status, body: view, audit: { action: 'file.put', target: `file/logo/${params.name}`, after: view } };
    }),
});

function refusal(reason: 'wrong_type' | 'too_large' | 'quota' | 'too_many'): Answer {
  switch (reason) {
    case 'wrong_type': {
      const detail = `its bytes are not what its content-type says; a logo is one of ${types.join(', ')}`;
      return { status: 415, body: problem(415, 'content_differs', detail) };
    }
    case 'too_large':
      return { status: 413, body: problem(413, 'body_too_large', `a logo may have at most ${maxBytes} bytes`) };
    case 'quota':
      return {
        status: 409,
        body: problem(409, 'file_quota', 'the tenant’s files are too large together; remove some'),
      };
    case 'too_many': {
      const detail = `a tenant may have ${MAX_UPLOADED_FILES} logos; remove one or replace one`;
      return { status: 409, body: problem(409, 'too_many_files', detail) };
    }
  }
}
