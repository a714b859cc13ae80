// A real OpenID provider for the tests, with fixed people. Any password opens an account.
//
// Started as: node server.mjs PORT CALLBACK AFTER_LOGOUT. It writes a line once it listens.
// It can be told to do wrong, by POST /mischief?kind=KIND: then the ID tokens it hands out are forged in that way, and
// travel through the very same flow. POST /mischief?kind= makes it honest again.
import { exportJWK, generateKeyPair, SignJWT, decodeJwt, decodeProtectedHeader, base64url } from 'jose';
import Provider from 'oidc-provider';

const [port, callback, afterLogout] = process.argv.slice(2);
const issuer = `http://127.0.0.1:${port}`;

const person = (name, groups, more = {}) => ({
  preferred_username: name, email: `${name}@hospital.example`, email_verified: true, groups, ...more,
});
const people = {
  'sub-viewer': person('vera', ['Readers']),
  'sub-clinician': person('Clara.Núñez', ['PROA']),
  'sub-scientist': person('samuel', ['CN=Microbiology,OU=Groups']),
  'sub-approver': person('ana', ['Heads']),
  'sub-operator': person('oscar', ['IT']),
  'sub-admin': person('adela', ['IT-Admins']),
  'sub-several': person('sonia', ['Unknown', 'Readers', 'PROA']),
  'sub-nested': person('nina', [], { realm_access: { roles: ['PROA'] } }),
  'sub-stranger': person('stranger', ['Cafeteria']),
  'sub-groupless': { preferred_username: 'gil' },
  'sub-unverified': { email: 'eva@hospital.example', email_verified: false, groups: ['Readers'] },
  'sub-mail-only': { email: 'mar@hospital.example', email_verified: true, groups: ['Readers'] },
  'sub-impostor': person('marta', ['IT-Admins']),
  'sub-namesake': person('nora', ['Heads']),
  'sub-leaver': person('leo', ['Readers']),
  'sub-mover': person('mona', ['Readers']),
};

const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true });
const stranger = await generateKeyPair('RS256');
const kid = `key-${Date.now()}`;
let mischief = '';

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: 'sirena', client_secret: 'the-test-provider-knows-this-secret',
      redirect_uris: [callback], post_logout_redirect_uris: [afterLogout], grant_types: ['authorization_code'],
    },
    {
      client_id: 'sirena-public', token_endpoint_auth_method: 'none',
      redirect_uris: [callback], post_logout_redirect_uris: [afterLogout], grant_types: ['authorization_code'],
    },
  ],
  jwks: { keys: [{ ...(await exportJWK(privateKey)), kid, alg: 'RS256', use: 'sig' }] },
  cookies: { keys: ['only for tests'] },
  claims: {
    openid: ['sub'], profile: ['preferred_username'], email: ['email', 'email_verified'],
    groups: ['groups', 'realm_access'],
  },
  conformIdTokenClaims: false,
  pkce: { required: () => true },
  findAccount: (_, sub) => people[sub] && { accountId: sub, claims: () => ({ sub, ...people[sub] }) },
  // hospitals do not ask their staff for consent
  async loadExistingGrant(ctx) {
    const grant = new ctx.oidc.provider.Grant({
      clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId,
    });
    grant.addOIDCScope('openid profile email groups');
    await grant.save();
    return grant;
  },
});

const forgeries = {
  other_key: (claims, header) => sign(claims, header, stranger.privateKey),
  unknown_key: (claims, header) => sign(claims, { ...header, kid: 'nobody' }, stranger.privateKey),
  audience: (claims, header) => sign({ ...claims, aud: 'another-client' }, header),
  audience_with_our_azp: (claims, header) => sign({ ...claims, aud: 'another-client', azp: 'sirena' }, header),
  shared_audience: (claims, header) => sign({ ...claims, aud: ['sirena', 'other'], azp: 'other' }, header),
  issuer: (claims, header) => sign({ ...claims, iss: 'https://evil.example' }, header),
  expired: (claims, header) => sign({ ...claims, iat: claims.iat - 7200, exp: claims.exp - 7200 }, header),
  future: (claims, header) => sign({ ...claims, iat: claims.iat + 7200, exp: claims.exp + 7200 }, header),
  endless: ({ exp, ...claims }, header) => sign(claims, header),
  nonce: (claims, header) => sign({ ...claims, nonce: 'of another sign-in' }, header),
  no_nonce: ({ nonce, ...claims }, header) => sign(claims, header),
  access_token: (claims, header) => sign({ ...claims, at_hash: base64url.encode('0123456789abcdef') }, header),
  odd_access_token: (claims, header) => sign({ ...claims, at_hash: { a: 1 } }, header),
  none: (claims) => `${plain({ alg: 'none', typ: 'JWT' })}.${plain(claims)}.`,
  shared_secret: async (claims, header) => sign(
    claims, { ...header, alg: 'HS256' }, new TextEncoder().encode('the-test-provider-knows-this-secret'),
  ),
  public_key_as_secret: async (claims, header) => sign(
    claims, { ...header, alg: 'HS256' }, new TextEncoder().encode(JSON.stringify(await exportJWK(publicKey))),
  ),
  tampered: (claims, header, raw) => {
    const [head, , signature] = raw.split('.');
    return `${head}.${plain({ ...claims, groups: ['IT-Admins'] })}.${signature}`;
  },
  garbage: () => 'no.token.ñ',
  missing: () => undefined,
  // honest tokens, but the provider's description says otherwise
  announces_shared_secrets_alone: (claims, header, raw) => raw,
  // honest, but says so little that the userinfo endpoint must be asked
  brief: ({ groups, preferred_username, email, ...claims }, header) => sign(claims, header),
  brief_about_another: ({ groups, ...claims }, header) => sign({ ...claims, sub: 'sub-admin' }, header),
};

const plain = (document) => base64url.encode(JSON.stringify(document));
const sign = (claims, header, key = privateKey) => new SignJWT(claims).setProtectedHeader(header).sign(key);

provider.use(async (ctx, next) => {
  if (ctx.path === '/mischief' && ctx.method === 'POST') {
    mischief = ctx.query.kind;
    ctx.status = mischief && !forgeries[mischief] ? 400 : 204;
    return;
  }
  if (ctx.path === '/people' && ctx.method === 'POST') {
    people[ctx.query.sub].groups = ctx.query.groups.split(';');
    ctx.status = 204;
    return;
  }
  await next();
  if (ctx.path === '/.well-known/openid-configuration' && mischief === 'announces_shared_secrets_alone') {
    ctx.body = { ...ctx.body, id_token_signing_alg_values_supported: ['HS256'] };
  }
  if (ctx.path === '/token' && ctx.body?.id_token && mischief) {
    const raw = ctx.body.id_token;
    ctx.body = { ...ctx.body, id_token: await forgeries[mischief](decodeJwt(raw), decodeProtectedHeader(raw), raw) };
  }
});

provider.listen(Number(port), '127.0.0.1', () => console.log(`listening at ${issuer}`));
