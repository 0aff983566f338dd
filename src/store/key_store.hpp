#pragma once
/// Where what is changed at run time is kept, keys and backends' modes: what a database has to do for them
/// (store/sqlite_keys.hpp, store/postgres_keys.hpp). It never sees a key, only what is made of one
/// (identity/key_token.hpp).
///
/// Ownership: values. Thread rule: a KeyStore belongs to one thread. Errors: a Result says what the database
/// said.
#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace spillway::store {

using Mac = std::array<unsigned char, 32>;

/// One secret of a key; a key has two while it is rotated.
struct KeyMacRow {
    Mac mac{};
    Wall made;
    std::optional<Wall> ends;  ///< nothing: with the key
};

struct KeyRow {
    std::string id;
    std::string settings;  ///< whose it is and what it may, as JSON (config/key_settings.hpp)
    Wall made;
    std::optional<Wall> expires;
    std::optional<Wall> revoked;
    std::vector<KeyMacRow> macs;
};

/// What an operator has told a backend to be. One that is on again stays, so that whoever looks sees that.
struct ModeRow {
    std::string backend;
    std::string mode;  ///< routing::to_string(Mode)
    std::string who;
    Wall since;
};

inline constexpr std::string_view kMacTaken = "the key is another's already";

class KeyStore {
public:
    KeyStore() = default;
    KeyStore(const KeyStore&) = delete;
    KeyStore& operator=(const KeyStore&) = delete;
    virtual ~KeyStore() = default;

    /// What the keys' MACs are made with; made with the store.
    [[nodiscard]] virtual Result<Mac> secret() = 0;
    /// A number that grows with each change: what is seen later has a larger one.
    [[nodiscard]] virtual Result<std::int64_t> version() = 0;
    /// The keys that changed after that version.
    [[nodiscard]] virtual Result<std::vector<KeyRow>> changed_since(std::int64_t version) = 0;
    [[nodiscard]] virtual Result<std::optional<KeyRow>> find(std::string_view id) = 0;
    /// New ones, or in place of those of the same ids; all or none. kMacTaken: one is another's.
    [[nodiscard]] virtual Result<void> put(const std::vector<KeyRow>& rows) = 0;

    /// The modes that changed after that version, which they share with the keys.
    [[nodiscard]] virtual Result<std::vector<ModeRow>> modes_changed_since(std::int64_t version) = 0;
    /// A new one, or in place of the backend's last one.
    [[nodiscard]] virtual Result<void> put_mode(const ModeRow& row) = 0;
};

/// `create`: make the database if there is none; without it, no database is null.
using OpenKeys = std::function<Result<std::unique_ptr<KeyStore>>(bool create)>;

}  // namespace spillway::store
