// A certified OpenID Connect server (oidc-provider), unmodified, with its own sign-in and consent pages.
//
//     node server.js PORT REDIRECT_URI...
//
// Whoever signs in as <name> is <name>@example.com, verified unless the name begins with "unverified", and in the
// group that follows a "+". What it refuses it says, one JSON per line.

import Provider from 'oidc-provider';

const [port, ...redirectUris] = process.argv.slice(2);
const tell = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

const provider = new Provider(`http://localhost:${port}`, {
  clients: [
    { client_id: 'proxx', client_secret: 'only-for-tests-0123456789-0123456789', redirect_uris: redirectUris },
    {
      client_id: 'accounts', // of those who are signed in to as an account, with a browser or a code
      client_secret: 'only-for-tests-0123456789-0123456789',
      token_endpoint_auth_method: 'client_secret_post',
      grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
      redirect_uris: ['http://localhost:1455/auth/callback'],
      application_type: 'native',
    },
  ],
  features: { deviceFlow: { enabled: true } },
  claims: { openid: ['sub', 'groups'], email: ['email', 'email_verified'], profile: ['preferred_username'] },
  cookies: { keys: ['only-for-tests'] },
  pkce: { required: () => true },
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({
      sub: id,
      preferred_username: id,
      email: `${id}@example.com`,
      email_verified: !id.startsWith('unverified'),
      groups: id.split('+').slice(1),
    }),
  }),
});

provider.on('grant.error', (_, fault) => tell({ refused: 'grant', fault: fault.error, why: fault.error_detail }));
provider.on('authorization.error', (_, fault) => tell({ refused: 'authorization', why: fault.error_description }));
provider.on('grant.success', () => tell({ granted: true }));
provider.listen(Number(port), '127.0.0.1', () => tell({ ready: true }));
