// The clients of a gateway's file.
#include <fmt/format.h>

#include <map>

#include "config/key_digest.hpp"
#include "config/yaml_sections.hpp"

namespace spillway::config::yaml {
namespace {

constexpr std::string_view kKeyExpected =
    "expected a key, or a map with one of key, key_env, key_file, key_sha256";

/// Digests seen so far and where: two clients with one key could not be told apart.
using SeenKeys = std::map<KeySha256, std::string>;

class KeyReader {
public:
    KeyReader(ClientConfig& client, SeenKeys& seen) : client_(client), seen_(seen) {}

    /// key, key_env, key_file or key_sha256 of `reader`, with `others` that exclude them.
    void read(MapReader& reader, std::initializer_list<std::string_view> others) {
        if (const auto key = reader.secret("key", others)) {
            const std::string_view from = reader.has("key")       ? "key"
                                          : reader.has("key_env") ? "key_env"
                                                                  : "key_file";
            add(reader, from, digest_of(key->reveal()));
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

    void read_plain(Context& context, const Item& item) {
        Secret key{item.node.Scalar()};
        if (const auto fault = secret_fault(key.reveal()); !fault.empty())
            return context.error(item.node.Mark(), item.path, std::string(fault));
        const auto digest = digest_of(key.reveal());
        if (const auto [it, fresh] = seen_.try_emplace(digest, item.path); !fresh)
            return context.error(item.node.Mark(), item.path,
                                 fmt::format("is the same key as {}", it->second));
        client_.keys.push_back(digest);
    }

private:
    void add(MapReader& reader, std::string_view from, const KeySha256& digest) {
        const auto path = reader.path_of(from);
        if (const auto [it, fresh] = seen_.try_emplace(digest, path); !fresh)
            return reader.error(from, fmt::format("is the same key as {}", it->second));
        client_.keys.push_back(digest);
    }

    ClientConfig& client_;
    SeenKeys& seen_;
};

void read_client(MapReader& reader, ClientConfig& client, SeenKeys& seen) {
    KeyReader keys(client, seen);
    reader.text("name", client.name);
    if (!reader.has("name")) reader.error_here("needs a name");
    if (!client.name.empty() && !is_name(client.name)) reader.error("name", std::string(kNameExpected));

    keys.read(reader, {"key_sha256", "keys"});
    const auto listed = reader.list("keys", "expected a list of keys");
    for (const auto& item : listed) {
        if (item.node.IsScalar()) {
            keys.read_plain(reader.context(), item);
        } else if (item.node.IsMap()) {
            MapReader one(reader.context(), item);
            keys.read(one, {"key_sha256"});
            if (!one.has("key") && !one.has("key_env") && !one.has("key_file") && !one.has("key_sha256"))
                one.error_here(std::string(kKeyExpected));
            one.finish();
        } else {
            reader.context().error(item.node.Mark(), item.path, std::string(kKeyExpected));
        }
    }
    const bool given = reader.has("key") || reader.has("key_env") || reader.has("key_file") ||
                       reader.has("key_sha256") || !listed.empty();
    const auto list = reader.any("keys");
    const bool reported = list && !list->node.IsNull() && !list->node.IsSequence();
    read_client_rights(reader, client);
    if (!given && !reported && !reader.has("claim") && !reader.has("header"))
        reader.error_here("needs a key: one of key, key_env, key_file, key_sha256, or a list in keys");
    reader.finish();
}

}  // namespace

void read_clients(MapReader& root, std::vector<ClientConfig>& out) {
    SeenKeys seen;
    std::map<std::string, std::string> names;
    for (const auto& item : root.list("clients", "expected a list of clients")) {
        MapReader reader(root.context(), item);
        if (!reader.valid()) continue;
        ClientConfig client;
        read_client(reader, client, seen);
        if (!client.name.empty()) {
            if (const auto [it, fresh] = names.try_emplace(client.name, item.path); !fresh)
                reader.error("name", fmt::format("the name {} is taken by {}", client.name, it->second));
        }
        out.push_back(std::move(client));
    }
}

}  // namespace spillway::config::yaml
