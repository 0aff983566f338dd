// A real OpenID Connect provider (oidc-provider) for the tests: `node provider.mjs SETTINGS`, where the JSON has port,
// redirects, key (its name: another one is another signing key), secret, and people by their log-in, with their claims.
import { generateKeyPairSync } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import Provider from "oidc-provider"; // 8, since Debian 12 has Node 18

const settings = JSON.parse(process.argv[2]);
const issuer = `http://127.0.0.1:${settings.port}`;

/** The same key under the same name, also for the next process. */
function keyOf(name) {
  const path = `${settings.folder}/${name}.jwk`;
  if (!existsSync(path)) {
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    writeFileSync(path, JSON.stringify({ ...privateKey.export({ format: "jwk" }), kid: name, use: "sig", alg: "RS256" }));
  }
  return JSON.parse(readFileSync(path, "utf8"));
}

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: "spillway",
      client_secret: settings.secret,
      redirect_uris: settings.redirects,
      token_endpoint_auth_method: settings.method ?? "client_secret_basic",
    },
  ],
  jwks: { keys: [keyOf(settings.key)] },
  cookies: { keys: ["a test's own"] },
  conformIdTokenClaims: false, // what the scopes give is in the ID token, as Entra and Keycloak do it
  claims: { openid: ["sub"], profile: ["preferred_username", "name", "groups"], email: ["email"] },
  findAccount: (_, id) =>
    settings.people[id] && { accountId: id, claims: () => ({ sub: id, preferred_username: `${id}@example.org`, ...settings.people[id] }) },
  pkce: { required: () => true },
  features: { devInteractions: { enabled: true } },
  // Nobody has to agree to what the gateway asks for.
  async loadExistingGrant(ctx) {
    const grant = new ctx.oidc.provider.Grant({ clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId });
    grant.addOIDCScope("openid profile email");
    await grant.save();
    return grant;
  },
});
provider.listen(settings.port, "127.0.0.1", () => console.log("ready"));
