// Who may come, and what clients, users and teams may use.
#include <fmt/format.h>

#include "base/certificate_name.hpp"
#include "config/codecs.hpp"
#include "config/key_digest.hpp"
#include "config/settings.hpp"

namespace spillway::config {
namespace {

constexpr std::uint64_t kMostPerMinute = 4'000'000'000;
constexpr std::uint64_t kMostPerPeriod = 100'000'000'000'000;
constexpr double kMostMoney = 10'000'000;

constexpr std::string_view kKeyExpected =
    "expected a key, or a map with one of key, key_env, key_file, key_sha256";

bool has_key(yaml::MapReader& reader) {
    bool any = false;
    for (const auto* key : {"key", "key_env", "key_file", "key_sha256"}) any = reader.has(key) || any;
    return any;
}

/// Two clients with the same key could not be distinguished.
class KeyReader {
public:
    explicit KeyReader(ClientConfig& client) : client_(client) {}

    /// key, key_env, key_file or key_sha256 of `reader`, with `others` that exclude them.
    void read(yaml::MapReader& reader, std::initializer_list<std::string_view> others) {
        if (const auto key = reader.secret("key", others)) {
            const std::string_view from = reader.has("key")       ? "key"
                                          : reader.has("key_env") ? "key_env"
                                                                  : "key_file";
            add(reader, from, digest_of(key->reveal()));
            if (key->reveal().size() < yaml::kLeastKeyLength && yaml::secret_doubt(key->reveal(), 0).empty())
                reader.warning(from, yaml::secret_doubt(key->reveal(), yaml::kLeastKeyLength));
        }
        if (!reader.has("key_sha256")) return;
        constexpr auto expected = "expected a SHA-256 digest: 64 hexadecimal digits";
        const auto hex = reader.scalar("key_sha256", expected);
        if (!hex) return;
        if (const auto digest = parse_key_sha256(*hex))
            add(reader, "key_sha256", *digest);
        else
            reader.error("key_sha256", expected);
    }

    void read_plain(yaml::Context& context, const yaml::Item& item) {
        Secret key{item.node.Scalar()};
        if (const auto fault = yaml::secret_fault(key.reveal()); !fault.empty())
            return context.error(item.node.Mark(), item.path, std::string(fault));
        if (const auto doubt = yaml::secret_doubt(key.reveal(), yaml::kLeastKeyLength); !doubt.empty())
            context.warning(item.node.Mark(), item.path, doubt);
        const auto digest = digest_of(key.reveal());
        if (const auto owner = claim(context, digest, item.path))
            return context.error(item.node.Mark(), item.path, fmt::format("is the same key as {}", *owner));
        client_.keys.push_back(digest);
    }

private:
    static std::optional<std::string> claim(yaml::Context& context, const KeySha256& digest,
                                            const std::string& path) {
        return context.register_name("key", std::string(digest.begin(), digest.end()), path);
    }

    void add(yaml::MapReader& reader, std::string_view from, const KeySha256& digest) {
        if (const auto owner = claim(reader.context(), digest, reader.path_of(from)))
            return reader.error(from, fmt::format("is the same key as {}", *owner));
        client_.keys.push_back(digest);
    }

    ClientConfig& client_;
};

void read_keys(yaml::MapReader& reader, ClientConfig& client) {
    KeyReader keys(client);
    keys.read(reader, {"key_sha256", "keys"});
    for (const auto& item : reader.list("keys", "expected a list of keys")) {
        if (item.node.IsScalar()) {
            keys.read_plain(reader.context(), item);
        } else if (item.node.IsMap()) {
            yaml::MapReader one(reader.context(), item);
            keys.read(one, {"key_sha256"});
            if (!has_key(one)) one.error_here(std::string(kKeyExpected));
            one.finish();
        } else {
            reader.context().error(item.node.Mark(), item.path, std::string(kKeyExpected));
        }
    }
}

std::optional<Value> show_keys(const ClientConfig& client) {
    if (client.keys.empty()) return std::nullopt;
    Value out = Value::list();
    for (const auto& key : client.keys)
        out.add({}, Value::secret(Secret(std::string(key.begin(), key.end()))));
    return out;
}

/// Names of certificates. Two clients with the same could not be distinguished.
struct CertificateNames : codec::TextList {
    void read(yaml::MapReader& reader, std::string_view key, std::vector<std::string>& out) const {
        yaml::Context& context = reader.context();
        for (const auto& item : reader.list(key, expected)) {
            if (!item.node.IsScalar()) {
                context.error(item.node.Mark(), item.path, std::string(item_expected));
                continue;
            }
            auto name = parse_certificate_name(item.node.Scalar());
            if (!name) {
                context.error(item.node.Mark(), item.path, name.error().message);
            } else if (const auto owner = context.register_name("certificate name", *name, item.path)) {
                context.error(item.node.Mark(), item.path, fmt::format("is the same name as {}", *owner));
            } else {
                out.push_back(std::move(*name));
            }
        }
    }
};

void check_known(yaml::MapReader& reader) {
    const auto list = reader.any("keys");
    const bool reported = list && !list->node.IsNull() && !list->node.IsSequence();
    const bool known = has_key(reader) || !reader.is_empty_list("keys") || reader.has("claim") ||
                       reader.has("header") || !reader.is_empty_list("certificates");
    if (!known && !reported)
        reader.error_here("needs a key: one of key, key_env, key_file, key_sha256, or a list in keys");
}

template <class T, class Codec>
Fields<PerPeriod<T>> period_fields(Codec codec, std::string_view what) {
    const About about{.help = what, .default_words = "none"};
    return Fields<PerPeriod<T>>()
        .add("hour", &PerPeriod<T>::hour, codec, about)
        .add("day", &PerPeriod<T>::day, codec, about)
        .add("week", &PerPeriod<T>::week, codec, about)
        .add("month", &PerPeriod<T>::month, codec, about);
}

const Fields<PerPeriod<std::uint64_t>>& tokens_fields() {
    static const auto fields = period_fields<std::uint64_t>(
        codec::Whole{1, kMostPerPeriod, true},
        "weighted tokens in a calendar period (UTC, weeks from Monday); beyond it 403");
    return fields;
}

const Fields<PerPeriod<double>>& budget_fields() {
    static const auto fields = period_fields<double>(
        codec::Number{0.000001, kMostMoney, true}, "money in a calendar period, by `prices`; beyond it 403");
    return fields;
}

}  // namespace

const Fields<QuotaConfig>& quota_fields() {
    static const auto fields =
        Fields<QuotaConfig>()
            .add("tokens_per_minute", &QuotaConfig::tokens_per_minute, codec::Whole{1, kMostPerMinute, true},
                 {.help = "weighted tokens in any 60 seconds; beyond it 429", .default_words = "none"})
            .add("requests_per_minute", &QuotaConfig::requests_per_minute,
                 codec::Whole{1, kMostPerMinute, true},
                 {.help = "requests in any 60 seconds; beyond it 429", .default_words = "none"})
            .add("concurrency", &QuotaConfig::concurrency, codec::Whole{1, 1'000'000'000, true},
                 {.help = "requests at the same time; beyond it 429", .default_words = "none"})
            .section("tokens", &QuotaConfig::tokens, tokens_fields())
            .section("budget", &QuotaConfig::budget, budget_fields())
            .add("shadow", &QuotaConfig::shadow, codec::Flag{}, {.help = "count and report, refuse nothing"})
            .shown_if([](const QuotaConfig& q) { return q != QuotaConfig{}; });
    return fields;
}

const Fields<ClientConfig>& client_fields() {
    static const auto fields =
        Fields<ClientConfig>()
            .add("name", &ClientConfig::name, codec::Name{},
                 {.help = "unique; letters, digits, `.`, `_`, `-`; appears in logs and metrics",
                  .needed = "needs a name"})
            .then([](yaml::MapReader& reader, ClientConfig& client) {
                reader.require_unique("name", "client", client.name);
                read_keys(reader, client);
            })
            .mention("key", SettingKind::secret, {.help = "the client's key, see [Secrets](#secrets)"})
            .mention("key_sha256", SettingKind::text,
                     {.help = "SHA-256 of the key in hexadecimal, so that the key need not be stored: "
                              "`printf %s \"$KEY\" \\| sha256sum`"})
            .mention("keys", SettingKind::list,
                     {.help = "instead of the above: a list of keys, all valid, to change a key without a "
                              "gap"})
            .shown_as(show_keys)
            .add("team", &ClientConfig::team, codec::Name{},
                 {.help = "the client's team, unless a token or field names another"})
            .add("priority", &ClientConfig::priority,
                 codec::Choice<PriorityClass>{{{"low", PriorityClass::low},
                                               {"normal", PriorityClass::normal},
                                               {"high", PriorityClass::high}}},
                 {.help =
                      "`low`, `normal` or `high`: weights 1, 2 and 4 when capacity is [shared](#fairness)"})
            .then([](yaml::MapReader& reader, ClientConfig&) {
                if (reader.has("deployments") && reader.is_empty_list("deployments"))
                    reader.error("deployments", "is empty; leave it out to allow all");
            })
            .add("deployments", &ClientConfig::deployments,
                 codec::TextList{"expected a list of deployments", "expected a deployment's name"},
                 {.help = "list of deployments or models it may ask for; others are refused with 403",
                  .default_words = "all"})
            .add("claim", &ClientConfig::claim, codec::Text{},
                 {.help = "value of the [token's](#identity) client claim that means this client",
                  .default_words = "the name"})
            .add("header", &ClientConfig::header, codec::Text{},
                 {.help = "value of the [trusted field](#identity) that means this client",
                  .default_words = "the name"})
            .add("networks", &ClientConfig::networks,
                 codec::TextList{"expected a list of addresses or networks",
                                 "expected an address or a network, such as 10.0.0.0/8", is_network},
                 {.help = "addresses or networks it may call from; from elsewhere it is refused with 403",
                  .default_words = "any"})
            .add("certificates", &ClientConfig::certificates,
                 CertificateNames{{"expected a list of names in certificates", "expected a name"}},
                 {.help =
                      "names by which its [certificate](identity.md#certificates) is known: "
                      "`dns:app.example`, `uri:spiffe://prod.example/chat`, `email:ops@example.com`; needs "
                      "`server.tls.client_ca`",
                  .default_words = "none"})
            .add("require_certificate", &ClientConfig::require_certificate, codec::Flag{},
                 {.help = "whether it needs both: its certificate, and a key or token"})
            .shown_if([](const ClientConfig& client) { return !client.certificates.empty(); })
            .then([](yaml::MapReader& reader, ClientConfig& client) {
                if (client.require_certificate && reader.is_empty_list("certificates"))
                    reader.error("require_certificate", "needs certificates, the names in it");
            })
            .section("limits", &ClientConfig::limits, quota_fields(),
                     {.help = "what it may use, see [Limits](#limits-of-clients-users-and-teams)",
                      .default_words = "none"})
            .then([](yaml::MapReader& reader, ClientConfig&) { check_known(reader); });
    return fields;
}

const Fields<TeamConfig>& team_fields() {
    static const auto fields =
        Fields<TeamConfig>()
            .add("name", &TeamConfig::name, codec::Name{},
                 {.help = "unique among teams; what clients, tokens and fields call it",
                  .needed = "needs a name"})
            .then([](yaml::MapReader& reader, TeamConfig& team) {
                reader.require_unique("name", "team", team.name);
            })
            .section("limits", &TeamConfig::limits, quota_fields(),
                     {.help = "what all its clients may use together", .default_words = "none"});
    return fields;
}

const Fields<UsersConfig>& users_fields() {
    static const auto fields =
        Fields<UsersConfig>()
            .add("field", &UsersConfig::field, codec::Flag{},
                 {.help = "take the body's `user` for the user, if neither a token nor a trusted field names "
                          "one"})
            .section("limits", &UsersConfig::limits, quota_fields(),
                     {.help = "of each user", .default_words = "none"});
    return fields;
}

}  // namespace spillway::config
