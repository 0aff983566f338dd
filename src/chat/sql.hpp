#pragma once
/// One SQL statement with its parameters, stepped row by row. Internal to the chat room.
/// Errors: the first one is kept and returned by status(); later calls do nothing. Thread rule: one thread.
#include <concepts>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "telemetry/sqlite.hpp"

namespace spillway::chat {

/// Bytes to be stored as a BLOB; empty ones as NULL.
struct Blob {
    std::string_view bytes;
};

class Sql {
public:
    template <class... Args>
    Sql(sqlite3* db, std::string_view text, const Args&... args) : db_(db) {
        auto made = telemetry::prepare(db, text);
        if (!made) {
            error_ = made.error().message;
            return;
        }
        statement_ = std::move(*made);
        int index = 0;
        (bind(++index, args), ...);
    }

    /// Steps to the next row; false at the end or on an error.
    bool next() {
        if (!error_.empty()) return false;
        const int rc = sqlite3_step(statement_.get());
        if (rc == SQLITE_ROW) return true;
        if (rc != SQLITE_DONE) error_ = sqlite3_errmsg(db_);
        return false;
    }
    /// Runs a statement that returns no rows.
    Result<void> run() {
        while (next()) {
        }
        return status();
    }
    [[nodiscard]] Result<void> status() const {
        if (!error_.empty()) return fail("the chat's database: " + error_);
        return {};
    }

    [[nodiscard]] std::string text(int column) const {
        const auto bytes = blob(column);
        return {bytes.data(), bytes.size()};
    }
    [[nodiscard]] std::int64_t number(int column) const {
        return sqlite3_column_int64(statement_.get(), column);
    }
    /// Valid until the next step.
    [[nodiscard]] std::string_view blob(int column) const {
        const void* data = sqlite3_column_blob(statement_.get(), column);
        const int size = sqlite3_column_bytes(statement_.get(), column);
        return data == nullptr
                   ? std::string_view("")
                   : std::string_view(static_cast<const char*>(data), static_cast<std::size_t>(size));
    }

private:
    // The arguments outlive the statement's use: callers pass named values or literals and step at once.
    void bind(int index, std::string_view value) {
        check(sqlite3_bind_text64(statement_.get(), index, value.data() == nullptr ? "" : value.data(),
                                  value.size(), SQLITE_TRANSIENT, SQLITE_UTF8));
    }
    void bind(int index, Blob value) {
        if (value.bytes.empty())
            check(sqlite3_bind_null(statement_.get(), index));
        else
            check(sqlite3_bind_blob64(statement_.get(), index, value.bytes.data(), value.bytes.size(),
                                      SQLITE_TRANSIENT));
    }
    void bind(int index, std::integral auto value) {
        check(sqlite3_bind_int64(statement_.get(), index, static_cast<sqlite3_int64>(value)));
    }
    void check(int rc) {
        if (rc != SQLITE_OK && error_.empty()) error_ = sqlite3_errmsg(db_);
    }

    sqlite3* db_;
    telemetry::Statement statement_;
    std::string error_;
};

}  // namespace spillway::chat
