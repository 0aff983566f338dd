// Each way a gateway's file can be wrong, with the exact line, column and words.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/fake_sources.hpp"
#include "config/yaml.hpp"

namespace spillway::config {
namespace {

constexpr std::string_view kSecret = "Zx9-very-secret";

Sources sources() {
    return fake_sources({{"GOOD", "good"}, {"EMPTY", ""}, {"SPACED", "a b"}, {"lower", "x"}},
                        {{"good.key", "good"},
                         {"empty.key", ""},
                         {"two-lines.key", "Zx9-very-secret\nmore"},
                         {"c.pem", "c"}});
}

struct Case {
    std::string_view name;
    std::string_view text;
    std::string_view problems;  ///< "" is good; what Problem::to_string() gives, without `f:`
};

void PrintTo(const Case& c, std::ostream* out) {
    *out << c.name;
}

class YamlProblems : public testing::TestWithParam<Case> {};

TEST_P(YamlProblems, AreExact) {
    const auto loaded = load_gateway(GetParam().text, "f", sources());
    std::string found;
    for (const auto& p : loaded.problems) {
        if (p.message.ends_with("which can be guessed")) continue;  // the keys here are short
        auto line = p.to_string();
        EXPECT_TRUE(line.starts_with("f:")) << line;
        found += line.substr(std::min<std::size_t>(2, line.size())) + '\n';
        EXPECT_EQ(line.find(kSecret), std::string::npos);
    }
    EXPECT_EQ(found, GetParam().problems);
    EXPECT_EQ(loaded.ok(), loaded.errors() == 0);
}

// Good backends, to put other faults beside. They take line 1.
#define BACKENDS "backends: [{url: http://127.0.0.1}]\n"
#define BACKEND(rest) "backends:\n  - url: http://127.0.0.1\n    " rest "\n"
#define TLS BACKENDS "server: {tls: {cert: c.pem, key: c.pem, client_ca: c.pem}}\n"
#define NAME_KIND                                                                          \
    "expected the kind of name first: dns:app.example, uri:spiffe://prod.example/chat or " \
    "email:ops@example.com\n"
#define NEEDS_KEY "needs a key: one of key, key_env, key_file, key_sha256, or a list in keys\n"

const Case kDocument[] = {
    {"Empty", "", " backends: needs at least one backend with a url\n"},
    {"OnlyAComment", "# nothing\n", " backends: needs at least one backend with a url\n"},
    {"NotAMap", "- a\n", "1:1: expected a map of keys and values\n"},
    {"Scalar", "hello", "1:1: expected a map of keys and values\n"},
    {"Unclosed", "backends: [\n  {", "2:1: is not YAML: end of map flow not found\n"},
    {"BadIndent", "a: 1\n b: 2", "2:3: is not YAML: illegal map value\n"},
    {"UnknownAnchor", "backends: *nope", "1:11: is not YAML: the referenced anchor is not defined\n"},
    {"TwoDocuments", BACKENDS "---\nserver:\n", "2:1: expected one YAML document, found another\n"},
    {"StrayComma", ", {a: b}", "1:1: expected one YAML document, found another\n"},
    {"UnknownKeyNear", BACKENDS "sever: {}\n", "2:1: sever: is not a known key; did you mean server?\n"},
    {"UnknownKeyFar", BACKENDS "zzzzzzzzz: {}\n",
     "2:1: zzzzzzzzz: is not a known key; expected server, admin, log, clients, allow_anonymous, backends, "
     "retry, affinity, stream, limits, teams, users, identity, weights, prices, fairness, tenancy, store, "
     "ledger, redis\n"},
    {"UnknownKeyThatMayBeASecret", BACKENDS "admin: {Zx9-very-secret: 1}\n",
     "2:9: admin: holds something that is no known key; expected enabled, listen, token, token_env, "
     "token_file, tokens, oidc\n"},
    {"RepeatedKey", BACKENDS "server: {}\nserver: {}\n", "3:1: server: is given twice, first in line 2\n"},
    {"RepeatedSecretKey", BACKENDS "admin: {Zx9-very-secret: 1, Zx9-very-secret: 2}\n",
     "2:9: admin: holds something that is no known key; expected enabled, listen, token, token_env, "
     "token_file, tokens, oidc\n2:29: admin: is given twice, first in line 2\n"},
    {"ListAsKey", BACKENDS "? [a, b]\n: 1\n", "2:3: expected a plain word as key\n"},
    {"ColumnsAreCharacters", BACKENDS "log: {access: 'é', x: 1}\n",
     "2:20: log.x: is not a known key; expected access\n"},
    {"AllInOrder", "server: {threads: x}\nbackends: [{url: ftp://h, weight: 0}]\nretry: {budget: 1}\n",
     "1:19: server.threads: expected a whole number from 0 to 1024\n"
     "2:18: backends[0].url: has a scheme other than http and https; expected a URL like "
     "https://name.openai.azure.com\n"
     "2:35: backends[0].weight: expected a whole number from 1 to 1000000\n"
     "3:17: retry.budget: expected a map of keys and values\n"},
};

const Case kBackends[] = {
    {"None", "backends: []\n", "1:11: backends: needs at least one backend with a url\n"},
    {"NotAList", "backends: {url: http://h}\n", "1:11: backends: expected a list of backends\n"},
    {"NotMaps", "backends: [a, null]\n",
     "1:12: backends[0]: expected a map of keys and values\n1:15: backends[1]: needs a url\n"},
    {"NoUrl", "backends:\n  - name: a\n", "2:5: backends[0]: needs a url\n"},
    {"UrlWithoutValue", "backends:\n  - url:\n",
     "2:5: backends[0].url: has no value; expected a URL like https://name.openai.azure.com\n"},
    {"UrlNotAUrl", "backends:\n  - url: not a url\n",
     "2:10: backends[0].url: is not a URL; expected a URL like https://name.openai.azure.com\n"},
    {"UrlWithPassword", "backends:\n  - url: https://u:Zx9-very-secret@h\n",
     "2:10: backends[0].url: holds a user name or password; give the credential as api_key instead\n"},
    {"UrlWithQuery", "backends:\n  - url: https://h/?key=Zx9-very-secret\n",
     "2:10: backends[0].url: has a query (?…), which would be lost; expected a URL like "
     "https://name.openai.azure.com\n"},
    {"UrlPort", "backends:\n  - url: https://h:99999\n",
     "2:10: backends[0].url: has a port outside 1…65535\n"},
    {"SameName", "backends:\n  - {name: a, url: http://h}\n  - {name: a, url: http://i}\n",
     "3:12: backends[1].name: the name a is taken by backends[0]\n"},
    {"BadName", BACKEND("name: a b"),
     "3:11: backends[0].name: expected 1 to 64 letters, digits, '.', '_' or '-'\n"},
    {"EmptyName", BACKEND("name: ''"), "3:11: backends[0].name: is empty; expected a text\n"},
    {"NameOfTwoLines", BACKEND("name: \"a\\nb\""),
     "3:11: backends[0].name: holds control characters; expected a text of one line\n"},
    {"Priority", BACKEND("priority: Zx9-very-secret"),
     "3:15: backends[0].priority: expected a whole number from 0 to 4294967295\n"},
    {"PriorityBelow", BACKEND("priority: -1"),
     "3:15: backends[0].priority: expected a whole number from 0 to 4294967295\n"},
    {"PriorityAList", BACKEND("priority: [1]"),
     "3:15: backends[0].priority: expected a whole number from 0 to 4294967295\n"},
    {"PriorityTwice", BACKEND("priority: 1\n    priority: 2"),
     "4:5: backends[0].priority: is given twice, first in line 3\n"},
    {"Prioritty", BACKEND("prioritty: 2"),
     "3:5: backends[0].prioritty: is not a known key; did you mean priority?\n"},
    {"WeightBeyond", BACKEND("weight: 1000001"),
     "3:13: backends[0].weight: expected a whole number from 1 to 1000000\n"},
    {"Kind", BACKEND("kind: azur"),
     "3:11: backends[0].kind: expected azure or openai; did you mean azure?\n"},
    {"KindFar", BACKEND("kind: bedrock"), "3:11: backends[0].kind: expected azure or openai\n"},
    {"KeyStyle", BACKEND("key_style: api_key"),
     "3:16: backends[0].key_style: expected api-key or bearer; did you mean api-key?\n"},
    {"Tpm", BACKEND("tpm: 0"),
     "3:10: backends[0].tpm: expected a whole number from 1 to 18446744073709551615\n"},
    {"Rpm", BACKEND("rpm: 1.5"),
     "3:10: backends[0].rpm: expected a whole number from 1 to 18446744073709551615\n"},
    {"Ptu", BACKEND("ptu: maybe"), "3:10: backends[0].ptu: expected true or false\n"},
    {"Timeout", BACKEND("timeouts: {connect: 0}"),
     "3:25: backends[0].timeouts.connect: expected a duration such as 500ms, 10s or 2m, from 1ms to 24h\n"},
    {"TimeoutName", BACKEND("timeouts: {conect: 1}"),
     "3:16: backends[0].timeouts.conect: is not a known key; did you mean connect?\n"},
    {"TlsOnHttp", BACKEND("tls: {verify: true}"), "3:10: backends[0].tls: has no effect on an http:// URL\n"},
    {"TlsBoth", "backends:\n  - url: https://h\n    tls: {verify: false, ca_file: c.pem}\n",
     "3:19: backends[0].tls.verify: warning: the backend's certificate is not checked: whoever answers gets "
     "the key\n"
     "3:35: backends[0].tls.ca_file: has no effect while verify is false; give one of the two\n"},
    {"CaFile", "backends:\n  - url: https://h\n    tls: {ca_file: none.pem}\n",
     "3:20: backends[0].tls.ca_file: the file cannot be opened: No such file or directory\n"},
    {"CaFileEmpty", "backends:\n  - url: https://h\n    tls: {ca_file: empty.key}\n",
     "3:20: backends[0].tls.ca_file: the file is empty\n"},
    {"DeploymentsNotAMap", BACKEND("deployments: [a]"),
     "3:18: backends[0].deployments: expected a map of keys and values\n"},
    {"DeploymentTarget", BACKEND("deployments: {a: }"),
     "3:19: backends[0].deployments.a: has no value; expected a text\n"},
    {"DeploymentNoName", BACKEND("deployments: {'': a}"),
     "3:23: backends[0].deployments.: has an empty name; expected the deployment that clients ask for\n"},
    {"DeploymentTwice", BACKEND("deployments: {a: b, a: c}"),
     "3:25: backends[0].deployments.a: is given twice, first in line 3\n"},
    {"DeploymentBoth", BACKEND("deployment: x\n    deployments: {a: b}"),
     "4:18: backends[0].deployments: has no effect besides deployment, which is used for every request\n"},
    {"IdleConnections", BACKEND("max_idle_connections: 1000001"),
     "3:27: backends[0].max_idle_connections: expected a whole number from 0 to 1000000\n"},
    {"KeyOverHttp", "backends:\n  - url: http://10.0.0.1\n    api_key: Zx9-very-secret\n",
     "2:10: backends[0].url: warning: is not https: the API key can be read on its way\n"},
};

const Case kSecrets[] = {
    {"NoValue", BACKEND("api_key:"), "3:5: backends[0].api_key: has no value; expected a text\n"},
    {"Empty", BACKEND("api_key: ''"), "3:14: backends[0].api_key: is empty\n"},
    {"AMap", BACKEND("api_key: {Zx9-very-secret: }"), "3:14: backends[0].api_key: expected a text\n"},
    {"Spaces", BACKEND("api_key: Zx9-very-secret 2"),
     "3:14: backends[0].api_key: holds spaces, line breaks or characters outside ASCII, which a key "
     "cannot\n"},
    {"Two", BACKEND("api_key: Zx9-very-secret\n    api_key_env: GOOD"),
     "4:18: backends[0].api_key_env: is given besides api_key; expected one of api_key, api_key_env, "
     "api_key_file\n"},
    {"EnvNotSet", BACKEND("api_key_env: NONE"),
     "3:18: backends[0].api_key_env: the environment variable NONE is not set\n"},
    {"EnvNotSetButMayBeASecret", BACKEND("api_key_env: abcdef0123"),
     "3:18: backends[0].api_key_env: the environment variable named here is not set\n"},
    {"EnvNotAName", BACKEND("api_key_env: Zx9-very-secret"),
     "3:18: backends[0].api_key_env: expected the name of an environment variable\n"},
    {"EnvWithoutValue", BACKEND("api_key_env: ~"),
     "3:5: backends[0].api_key_env: has no value; expected the name of an environment variable\n"},
    {"EnvEmpty", BACKEND("api_key_env: EMPTY"),
     "3:18: backends[0].api_key_env: the environment variable EMPTY is empty\n"},
    {"EnvSpaces", BACKEND("api_key_env: SPACED"),
     "3:18: backends[0].api_key_env: the environment variable SPACED holds spaces, line breaks or characters "
     "outside ASCII, which a key cannot\n"},
    {"FileNotThere", BACKEND("api_key_file: Zx9-very-secret"),
     "3:19: backends[0].api_key_file: the file cannot be opened: No such file or directory\n"},
    {"FileEmpty", BACKEND("api_key_file: empty.key"), "3:19: backends[0].api_key_file: the file is empty\n"},
    {"FileOfTwoLines", BACKEND("api_key_file: two-lines.key"),
     "3:19: backends[0].api_key_file: the file holds spaces, line breaks or characters outside ASCII, which "
     "a "
     "key cannot\n"},
};

const Case kClients[] = {
    {"NotAList", BACKENDS "clients: Zx9-very-secret\n", "2:10: clients: expected a list of clients\n"},
    {"NotMaps", BACKENDS "clients: [Zx9-very-secret]\n",
     "2:11: clients[0]: expected a map of keys and values\n"},
    {"NoName", BACKENDS "clients:\n  - key: k\n", "3:5: clients[0]: needs a name\n"},
    {"NoKey", BACKENDS "clients:\n  - name: a\n", "3:5: clients[0]: " NEEDS_KEY},
    {"NoKeys", BACKENDS "clients:\n  - {name: a, keys: []}\n", "3:5: clients[0]: " NEEDS_KEY},
    {"NullKeys", BACKENDS "clients:\n  - {name: a, keys: }\n", "3:5: clients[0]: " NEEDS_KEY},
    {"KeysNotAList", BACKENDS "clients:\n  - {name: a, keys: Zx9-very-secret}\n",
     "3:21: clients[0].keys: expected a list of keys\n"},
    {"KeysOfAList", BACKENDS "clients:\n  - {name: a, keys: [[Zx9-very-secret]]}\n",
     "3:22: clients[0].keys[0]: expected a key, or a map with one of key, key_env, key_file, key_sha256\n"},
    {"KeysEmptyMap", BACKENDS "clients:\n  - {name: a, keys: [{}]}\n",
     "3:22: clients[0].keys[0]: expected a key, or a map with one of key, key_env, key_file, key_sha256\n"},
    {"KeysUnknown", BACKENDS "clients:\n  - {name: a, keys: [{key: k, kee: 1}]}\n",
     "3:31: clients[0].keys[0].kee: is not a known key; did you mean key?\n"},
    {"KeysEmpty", BACKENDS "clients:\n  - {name: a, keys: ['']}\n", "3:22: clients[0].keys[0]: is empty\n"},
    {"Digest", BACKENDS "clients:\n  - {name: a, key_sha256: Zx9-very-secret}\n",
     "3:27: clients[0].key_sha256: expected a SHA-256 digest: 64 hexadecimal digits\n"},
    {"DigestDigit",
     BACKENDS "clients:\n  - {name: a, key_sha256: "
              "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdeg}\n",
     "3:27: clients[0].key_sha256: expected a SHA-256 digest: 64 hexadecimal digits\n"},
    {"TwoKinds", BACKENDS "clients:\n  - {name: a, key: k, key_env: GOOD}\n",
     "3:32: clients[0].key_env: is given besides key; expected one of key, key_env, key_file, key_sha256, "
     "keys\n"},
    {"SameName", BACKENDS "clients:\n  - {name: a, key: k}\n  - {name: a, key: l}\n",
     "4:12: clients[1].name: the name a is taken by clients[0]\n"},
    {"BadName", BACKENDS "clients:\n  - {name: 'a\"b', key: k}\n",
     "3:12: clients[0].name: expected 1 to 64 letters, digits, '.', '_' or '-'\n"},
    {"SameKey",
     BACKENDS "clients:\n  - {name: a, key: Zx9-very-secret}\n  - {name: b, key: Zx9-very-secret}\n",
     "4:20: clients[1].key: is the same key as clients[0].key\n"},
    {"SameKeyInList", BACKENDS "clients:\n  - {name: a, keys: [Zx9-very-secret, Zx9-very-secret]}\n",
     "3:39: clients[0].keys[1]: is the same key as clients[0].keys[0]\n"},
    {"OpenToOthers", BACKENDS "server: {listen: 0.0.0.0:8080}\n",
     "1:1: clients: needs at least one client, as server.listen (0.0.0.0:8080) is open to other machines; or "
     "set "
     "allow_anonymous: true to serve anyone\n"},
    {"EmptyOpenToOthers", BACKENDS "server: {listen: '[::]:8080'}\nclients: []\n",
     "3:10: clients: needs at least one client, as server.listen ([::]:8080) is open to other machines; or "
     "set "
     "allow_anonymous: true to serve anyone\n"},
    {"OpenOnPurpose", BACKENDS "server: {listen: 0.0.0.0:8080}\nallow_anonymous: true\n", ""},
    {"ItsOwnBackend", BACKENDS "server: {listen: 127.0.0.1:80}\n",
     "1:1: backends[0]: 127.0.0.1:80 is this gateway itself: each request would come back to it\n"},
    {"CertificateNames",
     TLS "clients:\n  - {name: a, certificates: [a.example, 'dns:*.example', [x], 'cn:a']}\n",
     "4:30: clients[0].certificates[0]: " NAME_KIND
     "4:41: clients[0].certificates[1]: is a wildcard; a name is one client's, and is compared as a whole\n"
     "4:58: clients[0].certificates[2]: expected a name\n"
     "4:63: clients[0].certificates[3]: " NAME_KIND},
    {"SameCertificate",
     TLS "clients:\n  - {name: a, certificates: ['dns:A.example']}\n"
         "  - {name: b, certificates: ['email:b@example', 'dns:a.example']}\n",
     "5:49: clients[1].certificates[1]: is the same name as clients[0].certificates[0]\n"},
    {"CertificatesAreEnough", TLS "clients: [{name: a, certificates: ['uri:spiffe://x/a'], claim: a}]\n", ""},
    {"NoCertificates", TLS "clients:\n  - {name: a, certificates: []}\n", "4:5: clients[0]: " NEEDS_KEY},
    {"CertificatesWithoutAuthorities", BACKENDS "clients:\n  - {name: a, certificates: ['dns:a.example']}\n",
     "3:29: clients[0].certificates: needs server.tls.client_ca, a PEM file with the authorities that vouch "
     "for "
     "certificates\n"},
    {"RequiredCertificate", BACKENDS "clients:\n  - {name: a, key: good-key-1, require_certificate: true}\n",
     "3:53: clients[0].require_certificate: needs certificates, the names in it\n"},
    {"NoDeployments", BACKENDS "clients: [{name: a, key: k, deployments: []}]\n",
     "2:42: clients[0].deployments: is empty; leave it out to allow all\n"},
    {"AllowAnonymous", BACKENDS "allow_anonymous: 1\n", "2:18: allow_anonymous: expected true or false\n"},
};

#define LISTEN "expected an address and a port, such as 127.0.0.1:8080 or [::]:8080\n"
const Case kSettings[] = {
    {"Listen", BACKENDS "server: {listen: 8080}\n", "2:18: server.listen: " LISTEN},
    {"ListenPort", BACKENDS "server: {listen: 127.0.0.1:99999}\n",
     "2:18: server.listen: has a port that is not a number from 0 to 65535; " LISTEN},
    {"ListenHost", BACKENDS "server: {listen: 'http://h:1'}\n", "2:18: server.listen: " LISTEN},
    {"ListenV6", BACKENDS "server: {listen: '[::g]:1'}\n", "2:18: server.listen: " LISTEN},
    {"ListenV6WithoutBrackets", BACKENDS "server: {listen: '::1:80'}\n", "2:18: server.listen: " LISTEN},
    {"Threads", BACKENDS "server: {threads: 1025}\n",
     "2:19: server.threads: expected a whole number from 0 to 1024\n"},
    {"ServerTlsEmpty", BACKENDS "server: {tls: {}}\n",
     "2:15: server.tls: needs cert, a PEM file\n2:15: server.tls: needs key, a PEM file\n"},
    {"ServerTlsFiles", BACKENDS "server: {tls: {cert: c.pem, key: none.pem}}\n",
     "2:34: server.tls.key: the file cannot be opened: No such file or directory\n"},
    {"ServerTlsNoAuthorities",
     BACKENDS "server: {tls: {cert: c.pem, key: c.pem, client_ca: none.pem, client_auth: required}}\n",
     "2:52: server.tls.client_ca: the file cannot be opened: No such file or directory\n"},
    {"ServerTlsClientAuth", BACKENDS "server: {tls: {cert: c.pem, key: c.pem, client_auth: required}}\n",
     "2:54: server.tls.client_auth: needs client_ca, a PEM file with the authorities\n"},
    {"AdminSameAddress", BACKENDS "admin: {listen: 127.0.0.1:8080}\n",
     "2:8: admin: listens on the same address as server, 127.0.0.1:8080; give admin.listen another\n"},
    {"AdminOffAtSameAddress", BACKENDS "admin: {enabled: false, listen: 127.0.0.1:8080}\n", ""},
    {"AdminOpen", BACKENDS "admin: {listen: 0.0.0.0:1}\n",
     "2:17: admin.listen: warning: lets anyone who can connect see the backends and clients; set a token\n"},
    {"AdminToken", BACKENDS "admin: {token: Zx9-very-secret, token_file: good.key}\n",
     "2:45: admin.token_file: is given besides token; expected one of token, token_env, token_file\n"},
    {"MemoryForNoBody", BACKENDS "limits: {max_body: 2MiB, memory: 1MiB}\n",
     "2:34: limits.memory: warning: is less than max_body: a larger body is never taken, and gets 503\n"},
    {"Log", BACKENDS "log: {access: }\n", "2:7: log.access: has no value; expected a text\n"},
    {"Attempts", BACKENDS "retry: {max_attempts: 1001}\n",
     "2:23: retry.max_attempts: expected a whole number from 0 to 1000\n"},
    {"Ratio", BACKENDS "retry: {budget: {ratio: nan}}\n",
     "2:25: retry.budget.ratio: expected a number from 0 to 100\n"},
    {"Burst", BACKENDS "retry: {budget: {burst: -1}}\n",
     "2:25: retry.budget.burst: expected a whole number from 0 to 1000000000\n"},
    {"CoolDown", BACKENDS "retry: {default_cool_down: 2m}\n",
     "2:28: retry.default_cool_down: default_cool_down is longer than max_cool_down, which caps it\n"},
    {"MaxCoolDown", BACKENDS "retry: {max_cool_down: 5s}\n",
     "2:24: retry.max_cool_down: default_cool_down is longer than max_cool_down, which caps it\n"},
    {"LateCommit", BACKENDS "stream: {late_commit: late}\n",
     "2:23: stream.late_commit: expected true or false\n"},
    {"Preamble", BACKENDS "stream: {max_preamble: 1}\n",
     "2:24: stream.max_preamble: expected a size such as 64KiB, 4MiB or 65536, from 1KiB to 64MiB\n"},
    {"IncludeUsage", BACKENDS "stream: {include_usage: 2}\n",
     "2:25: stream.include_usage: expected true or false\n"},
    {"Head", BACKENDS "limits: {max_head: 2MiB}\n",
     "2:20: limits.max_head: expected a size such as 64KiB, 4MiB or 65536, from 1KiB to 1MiB\n"},
    {"Body", BACKENDS "limits: {max_body: 2GiB}\n",
     "2:20: limits.max_body: expected a size such as 64KiB, 4MiB or 65536, from 1KiB to 1GiB\n"},
    {"AnswerBuffer", BACKENDS "limits: {max_answer_buffer: much}\n",
     "2:29: limits.max_answer_buffer: expected a size such as 64KiB, 4MiB or 65536, from 0 to 1GiB\n"},
    {"Connections", BACKENDS "limits: {max_connections: all}\n",
     "2:27: limits.max_connections: expected a whole number from 0 to 10000000\n"},
    {"RequestTimeout", BACKENDS "limits: {request_timeout: 2 days}\n",
     "2:27: limits.request_timeout: expected a duration such as 500ms, 10s or 2m, from 1ms to 24h\n"},
    {"SectionsNotMaps", BACKENDS "server: 1\nadmin: 1\nlog: 1\nretry: 1\nstream: 1\nlimits: 1\n",
     "2:9: server: expected a map of keys and values\n3:8: admin: expected a map of keys and values\n"
     "4:6: log: expected a map of keys and values\n5:8: retry: expected a map of keys and values\n"
     "6:9: stream: expected a map of keys and values\n7:9: limits: expected a map of keys and values\n"},
};

const auto kName = [](const testing::TestParamInfo<Case>& info) { return std::string(info.param.name); };
INSTANTIATE_TEST_SUITE_P(Document, YamlProblems, testing::ValuesIn(kDocument), kName);
INSTANTIATE_TEST_SUITE_P(Backends, YamlProblems, testing::ValuesIn(kBackends), kName);
INSTANTIATE_TEST_SUITE_P(Secrets, YamlProblems, testing::ValuesIn(kSecrets), kName);
INSTANTIATE_TEST_SUITE_P(Clients, YamlProblems, testing::ValuesIn(kClients), kName);
INSTANTIATE_TEST_SUITE_P(Settings, YamlProblems, testing::ValuesIn(kSettings), kName);

}  // namespace
}  // namespace spillway::config
