#include "store/postgres_connection.hpp"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <utility>

namespace spillway::store {
namespace {

// Of pg_type.dat; the header with their names is the server's.
constexpr Oid kBytea = 17;
constexpr Oid kInt8 = 20;
constexpr Oid kText = 25;

/// Longer than statement_timeout: the server's own word is better than silence.
constexpr std::chrono::milliseconds kPatience{3000};
constexpr std::chrono::milliseconds kRest{500};

/// A statement may wait for another replica's; a replica that is frozen within one may not hold the others
/// up.
const std::array<PostgresStatement, 4> kSession{{{"SET statement_timeout = 2000", {}},
                                                 {"SET idle_in_transaction_session_timeout = 5000", {}},
                                                 {"SET default_transaction_isolation = 'read committed'", {}},
                                                 {"SET client_min_messages = error", {}}}};

/// Whoever answers so may answer otherwise elsewhere: a standby, or a server that is about to end.
bool asks_to_reconnect(std::string_view state) noexcept {
    return state == "25006" || state.starts_with("57P");
}

std::string_view part(const PQconninfoOption* options, std::string_view name) {
    for (const auto* o = options; o != nullptr && o->keyword != nullptr; ++o)
        if (name == o->keyword && o->val != nullptr) return o->val;
    return {};
}

}  // namespace

PostgresValue PostgresValue::text(std::string_view value) noexcept {
    PostgresValue out;
    out.type_ = kText;
    out.view_ = value;
    return out;
}

PostgresValue PostgresValue::bytes(std::string_view value) noexcept {
    PostgresValue out;
    out.type_ = kBytea;
    out.view_ = value;
    return out;
}

PostgresValue PostgresValue::bytes(std::span<const unsigned char> value) noexcept {
    return bytes({reinterpret_cast<const char*>(value.data()), value.size()});
}

PostgresValue PostgresValue::number(std::int64_t value) noexcept {
    PostgresValue out;
    out.type_ = kInt8;
    const auto bits = static_cast<std::uint64_t>(value);
    for (std::size_t i = 0; i < 8; ++i)
        out.number_[i] = static_cast<char>((bits >> (56U - 8U * i)) & 0xffU);  // in network order
    return out;
}

const char* PostgresValue::data() const noexcept {
    if (type_ == kInt8) return number_.data();
    return view_.empty() ? "" : view_.data();
}

int PostgresValue::size() const noexcept {
    return static_cast<int>(type_ == kInt8 ? number_.size() : view_.size());
}

bool PostgresRows::is_null(int row, int column) const noexcept {
    return PQgetisnull(result_.get(), row, column) == 1;
}

std::string_view PostgresRows::bytes(int row, int column) const noexcept {
    return {PQgetvalue(result_.get(), row, column),
            static_cast<std::size_t>(PQgetlength(result_.get(), row, column))};
}

std::int64_t PostgresRows::number(int row, int column) const noexcept {
    const std::string_view raw = bytes(row, column);
    if (raw.size() != 8) return 0;
    std::uint64_t bits = 0;
    for (const char c : raw) bits = (bits << 8U) | static_cast<unsigned char>(c);
    return static_cast<std::int64_t>(bits);
}

PostgresServer::PostgresServer(config::Secret url) : url_(std::move(url)), name_("postgresql://") {
    // What libpq says of a URL that it cannot read quotes it: that is not asked for.
    const std::unique_ptr<PQconninfoOption, PostgresFree> options(
        PQconninfoParse(std::string(url_.reveal()).c_str(), nullptr));
    password_ = config::Secret(part(options.get(), "password"));
    const std::string_view host = part(options.get(), "host");
    name_ += host.empty() ? part(options.get(), "hostaddr") : host;
    if (const auto port = part(options.get(), "port"); !port.empty()) name_.append(":").append(port);
    name_.append("/").append(part(options.get(), "dbname"));
    if (!options) {
        last_error_ = "the URL cannot be read; characters like @ : / ? # % in a password are written %40 …";
        rests_until_ = Mono::max();
    }
}

Result<std::unique_ptr<PGconn, PostgresFree>> PostgresServer::connect() {
    {
        const std::lock_guard lock(mutex_);
        if (!last_error_.empty() && mono_now() < rests_until_) return fail(last_error_);
    }
    std::string url(url_.reveal());
    // What comes before the URL is a default, which it may change.
    const std::array<const char*, 9> names{"connect_timeout",
                                           "tcp_user_timeout",
                                           "keepalives_idle",
                                           "keepalives_interval",
                                           "keepalives_count",
                                           "application_name",
                                           "dbname",
                                           "client_encoding",
                                           nullptr};
    const std::array<const char*, 9> values{"2",        "3000",      "10",   "5",    "2",
                                            "spillway", url.c_str(), "UTF8", nullptr};
    std::unique_ptr<PGconn, PostgresFree> out(PQconnectdbParams(names.data(), values.data(), 1));
    config::wipe(url);
    const std::lock_guard lock(mutex_);
    if (PQstatus(out.get()) == CONNECTION_OK) {
        last_error_.clear();
        return out;
    }
    last_error_ = clean(out ? PQerrorMessage(out.get()) : "there is no memory");
    rests_until_ = mono_now() + kRest;
    return fail(last_error_);
}

std::string PostgresServer::clean(std::string_view message) const {
    std::string out;
    for (const char c : message) {
        const bool space = c == '\n' || c == '\t' || c == ' ';
        if (!space)
            out += c;
        else if (!out.empty() && out.back() != ' ')
            out += ' ';
    }
    while (out.ends_with(' ')) out.pop_back();
    const std::string_view password = password_.reveal();
    for (auto at = out.find(password); !password.empty() && at != out.npos; at = out.find(password, at + 3))
        out.replace(at, password.size(), "***");
    return out;
}

Result<PostgresConnection::Answers> PostgresConnection::run(std::span<const PostgresStatement> statements) {
    last_state_.clear();
    if (auto ready = open(); !ready) return ready.error();
    return exchange(statements);
}

Result<PostgresRows> PostgresConnection::ask(const char* sql, std::vector<PostgresValue> values) {
    const PostgresStatement one{sql, std::move(values)};
    auto answers = run({&one, 1});
    if (!answers) return answers.error();
    if (answers->size() != 1) return fail("the database gave no answer");
    return std::move(answers->front());
}

Result<void> PostgresConnection::open() {
    if (connection_ && is_alive()) return {};
    connection_.reset();
    auto made = server_->connect();
    if (!made) return made.error();
    connection_ = std::move(*made);
    PQsetNoticeProcessor(
        connection_.get(), [](void*, const char*) {}, nullptr);
    if (PQsetnonblocking(connection_.get(), 1) != 0 || PQenterPipelineMode(connection_.get()) != 1)
        return lost();
    if (auto set = exchange(kSession); !set) {
        connection_.reset();
        return set.error();
    }
    return {};
}

/// Whether it is still there: a server that ended meanwhile has said so.
bool PostgresConnection::is_alive() {
    for (int i = 0; i < 8; ++i) {
        pollfd at{PQsocket(connection_.get()), POLLIN, 0};
        if (::poll(&at, 1, 0) <= 0) return true;
        if (PQconsumeInput(connection_.get()) != 1) return false;
        static_cast<void>(PQisBusy(connection_.get()));  // reads what came
        if (PQstatus(connection_.get()) != CONNECTION_OK) return false;
    }
    return false;
}

bool PostgresConnection::send(const PostgresStatement& statement) {
    std::vector<Oid> types;
    std::vector<const char*> values;
    std::vector<int> sizes;
    for (const PostgresValue& value : statement.values) {
        types.push_back(value.type());
        values.push_back(value.data());
        sizes.push_back(value.size());
    }
    const std::vector<int> binary(values.size(), 1);
    return PQsendQueryParams(connection_.get(), statement.sql, static_cast<int>(values.size()), types.data(),
                             values.data(), sizes.data(), binary.data(), 1) == 1;
}

Result<PostgresConnection::Answers> PostgresConnection::exchange(
    std::span<const PostgresStatement> statements) {
    for (const PostgresStatement& statement : statements)
        if (!send(statement)) return lost();
    if (PQpipelineSync(connection_.get()) != 1) return lost();
    return collect();
}

Result<PostgresConnection::Answers> PostgresConnection::collect() {
    Answers out;
    std::optional<Error> error;
    for (Mono until = mono_now() + kPatience;;) {
        if (PQisBusy(connection_.get()) == 1) {
            if (!wait(until))
                return lost(PQstatus(connection_.get()) == CONNECTION_OK ? "no answer in time" : "");
            continue;
        }
        PGresult* const result = PQgetResult(connection_.get());
        if (result == nullptr) {  // after the answer to each statement
            if (PQstatus(connection_.get()) == CONNECTION_OK) continue;
            if (!error) return lost();
            break;
        }
        until = mono_now() + kPatience;
        PostgresRows rows(result);
        const ExecStatusType status = PQresultStatus(result);
        if (status == PGRES_PIPELINE_SYNC) break;
        if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK)
            out.push_back(std::move(rows));
        else if (status != PGRES_PIPELINE_ABORTED && !error)
            error = note(result);
    }
    if (!error) return out;
    if (asks_to_reconnect(last_state_) || PQstatus(connection_.get()) != CONNECTION_OK) connection_.reset();
    return *error;
}

bool PostgresConnection::wait(Mono until) {
    const int unsent = PQflush(connection_.get());
    if (unsent < 0) return false;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - mono_now()).count();
    if (left <= 0) return false;
    pollfd at{PQsocket(connection_.get()), static_cast<short>(unsent > 0 ? POLLIN | POLLOUT : POLLIN), 0};
    if (::poll(&at, 1, static_cast<int>(left)) < 0) return errno == EINTR;
    const auto readable =
        static_cast<unsigned>(at.revents) & static_cast<unsigned>(POLLIN | POLLERR | POLLHUP);
    return readable == 0 || PQconsumeInput(connection_.get()) == 1;
}

Error PostgresConnection::note(const PGresult* result) {
    const char* const state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    last_state_ = state == nullptr ? "" : state;
    const char* const primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    return fail(server_->clean(primary != nullptr ? primary : PQresultErrorMessage(result)));
}

Error PostgresConnection::lost(std::string_view why) {
    Error error = fail(server_->clean(why.empty() ? PQerrorMessage(connection_.get()) : why));
    if (error.message.empty()) error.message = "the connection to the database was lost";
    connection_.reset();
    return error;
}

}  // namespace spillway::store
