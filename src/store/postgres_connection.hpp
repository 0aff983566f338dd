#pragma once
/// A connection to PostgreSQL by libpq, for one thread's statements, none of which takes longer than a few
/// seconds.
///
/// It is opened when it is first used, and anew once it was lost: after an error the same call may be made
/// again. All statements of one call go out together and are one transaction (an implicit one, which ends
/// with the pipeline's Sync: libpq, "Pipeline Mode"). Values travel beside the statements, in binary form.
///
/// Ownership: shares its PostgresServer. Thread rule: a connection belongs to one thread; a server, any.
/// Errors: what the server or libpq said. No error holds the URL or its password.
#include <libpq-fe.h>

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "config/secret.hpp"

namespace spillway::store {

struct PostgresFree {
    void operator()(PGconn* connection) const noexcept { PQfinish(connection); }
    void operator()(PGresult* result) const noexcept { PQclear(result); }
    void operator()(PQconninfoOption* options) const noexcept { PQconninfoFree(options); }
};

/// A value of a statement. Views what the caller keeps, but for numbers.
class PostgresValue {
public:
    [[nodiscard]] static PostgresValue text(std::string_view value) noexcept;
    [[nodiscard]] static PostgresValue bytes(std::string_view value) noexcept;
    [[nodiscard]] static PostgresValue bytes(std::span<const unsigned char> value) noexcept;
    [[nodiscard]] static PostgresValue number(std::int64_t value) noexcept;

    [[nodiscard]] Oid type() const noexcept { return type_; }
    /// Never null, which would be SQL's NULL.
    [[nodiscard]] const char* data() const noexcept;
    [[nodiscard]] int size() const noexcept;

private:
    Oid type_ = 0;
    std::string_view view_;
    std::array<char, 8> number_{};
};

struct PostgresStatement {
    const char* sql = nullptr;  ///< with $1, $2 …
    std::vector<PostgresValue> values;
};

/// What a statement answered.
class PostgresRows {
public:
    explicit PostgresRows(PGresult* result) noexcept : result_(result) {}
    [[nodiscard]] int size() const noexcept { return PQntuples(result_.get()); }
    [[nodiscard]] bool is_null(int row, int column) const noexcept;
    /// Of a text or bytea; as long as the rows are there.
    [[nodiscard]] std::string_view bytes(int row, int column) const noexcept;
    /// Of a bigint; 0 if it is something else.
    [[nodiscard]] std::int64_t number(int row, int column) const noexcept;

private:
    std::unique_ptr<PGresult, PostgresFree> result_;
};

/// Where to connect to. After a failure it rests for a moment, so that nobody waits for the next one in vain.
class PostgresServer {
public:
    /// `url`: see config/store_url.hpp.
    explicit PostgresServer(config::Secret url);

    /// Where it is, to show: `postgresql://host:port/database`.
    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    [[nodiscard]] Result<std::unique_ptr<PGconn, PostgresFree>> connect();
    /// In one line, and without the password, whoever put it there.
    [[nodiscard]] std::string clean(std::string_view message) const;

private:
    const config::Secret url_;
    config::Secret password_;
    std::string name_;
    std::mutex mutex_;
    Mono rests_until_;        ///< under mutex_
    std::string last_error_;  ///< under mutex_
};

class PostgresConnection {
public:
    explicit PostgresConnection(std::shared_ptr<PostgresServer> server) : server_(std::move(server)) {}

    using Answers = std::vector<PostgresRows>;
    /// All or nothing; an answer to each.
    [[nodiscard]] Result<Answers> run(std::span<const PostgresStatement> statements);
    [[nodiscard]] Result<PostgresRows> ask(const char* sql, std::vector<PostgresValue> values = {});
    /// Of the last error, its SQLSTATE; empty: it is libpq's.
    [[nodiscard]] const std::string& last_state() const noexcept { return last_state_; }

private:
    [[nodiscard]] Result<void> open();
    [[nodiscard]] bool is_alive();
    [[nodiscard]] bool send(const PostgresStatement& statement);
    [[nodiscard]] Result<Answers> exchange(std::span<const PostgresStatement> statements);
    /// The rest of the answers, up to that of the Sync.
    [[nodiscard]] Result<Answers> collect();
    /// Sends and takes what can be; false: it is lost, or nothing came in time.
    [[nodiscard]] bool wait(Mono until);
    [[nodiscard]] Error note(const PGresult* result);
    /// Gives the connection up.
    [[nodiscard]] Error lost(std::string_view why = {});

    std::shared_ptr<PostgresServer> server_;
    std::unique_ptr<PGconn, PostgresFree> connection_;
    std::string last_state_;
};

}  // namespace spillway::store
