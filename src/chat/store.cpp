#include "chat/store.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "chat/ids.hpp"
#include "chat/sql.hpp"

namespace spillway::chat {
namespace {

/// Append only: a released step is never edited, a change is a new step (tests/chat/migration_test.cpp).
constexpr std::array<const char*, 1> schema = {R"sql(
CREATE TABLE sessions (id TEXT PRIMARY KEY, settings TEXT NOT NULL, created INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE conversations (
    id TEXT PRIMARY KEY, session TEXT NOT NULL, title TEXT NOT NULL, leaf TEXT NOT NULL,
    created INTEGER NOT NULL, updated INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX conversations_by_session ON conversations (session, updated);
CREATE TABLE messages (
    id TEXT PRIMARY KEY, conversation TEXT NOT NULL REFERENCES conversations ON DELETE CASCADE,
    parent TEXT NOT NULL, role INTEGER NOT NULL, text TEXT NOT NULL, state INTEGER NOT NULL,
    details TEXT NOT NULL, created INTEGER NOT NULL);
CREATE INDEX messages_by_conversation ON messages (conversation, created);
CREATE TABLE documents (
    id TEXT PRIMARY KEY, conversation TEXT NOT NULL REFERENCES conversations ON DELETE CASCADE,
    name TEXT NOT NULL, type TEXT NOT NULL, bytes INTEGER NOT NULL, pages INTEGER NOT NULL,
    chunks INTEGER NOT NULL, embedding_model TEXT NOT NULL, created INTEGER NOT NULL, content BLOB);
CREATE INDEX documents_by_conversation ON documents (conversation, created);
CREATE TABLE pages (
    document TEXT NOT NULL REFERENCES documents ON DELETE CASCADE, number INTEGER NOT NULL,
    text TEXT NOT NULL, PRIMARY KEY (document, number)) WITHOUT ROWID;
CREATE TABLE chunks (
    id INTEGER PRIMARY KEY, document TEXT NOT NULL REFERENCES documents ON DELETE CASCADE,
    page INTEGER NOT NULL, line INTEGER NOT NULL, text TEXT NOT NULL, vector BLOB);
CREATE INDEX chunks_by_document ON chunks (document);
CREATE VIRTUAL TABLE chunk_terms USING fts5(terms, tokenize = 'porter unicode61');
CREATE TRIGGER chunks_gone AFTER DELETE ON chunks BEGIN
    DELETE FROM chunk_terms WHERE rowid = old.id;
END;
)sql"};

std::int64_t millis(Wall now) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count();
}

Conversation read_conversation(const Sql& row) {
    return {row.text(0), row.text(1), row.text(2), row.number(3), row.number(4)};
}

Message read_message(const Sql& row) {
    Message m;
    m.id = row.text(0);
    m.parent = row.text(1);
    m.role = row.number(2) == 0 ? Role::user : Role::assistant;
    m.text = row.text(3);
    m.state = static_cast<MessageState>(std::clamp<std::int64_t>(row.number(4), 0, 2));
    m.details = row.text(5);
    m.created = row.number(6);
    return m;
}

constexpr std::string_view message_columns = "m.id, m.parent, m.role, m.text, m.state, m.details, m.created";

}  // namespace

Result<Store> Store::open(const std::string& path) {
    if (path != ":memory:") {
        std::error_code ignored;
        const auto folder = std::filesystem::path(path).parent_path();
        if (!folder.empty()) std::filesystem::create_directories(folder, ignored);
    }
    auto db = telemetry::open_database(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
    if (!db) return db.error();
    if (path != ":memory:") ::chmod(path.c_str(), S_IRUSR | S_IWUSR);
    if (auto done = telemetry::use_write_ahead_log(db->get()); !done) return done.error();
    for (const char* pragma : {"PRAGMA foreign_keys = ON", "PRAGMA recursive_triggers = ON"})
        if (auto done = telemetry::execute(db->get(), pragma); !done) return done.error();
    if (auto done = telemetry::migrate(db->get(), schema); !done) return done.error();
    return Store(std::move(*db));
}

Result<void> Store::transaction(const std::function<Result<void>()>& work) {
    if (auto begun = telemetry::execute(db_.get(), "BEGIN IMMEDIATE"); !begun) return begun;
    auto done = work();
    if (done) done = telemetry::execute(db_.get(), "COMMIT");
    if (!done) static_cast<void>(telemetry::execute(db_.get(), "ROLLBACK"));
    return done;
}

Result<void> Store::require(std::string_view session, std::string_view conversation) {
    Sql row(db_.get(), "SELECT 1 FROM conversations WHERE id = ? AND session = ?", conversation, session);
    if (row.next()) return {};
    if (auto status = row.status(); !status) return status;
    return absent(conversation);
}

Error Store::absent(std::string_view conversation) {
    Sql others(db_.get(), "SELECT 1 FROM conversations WHERE id = ?", conversation);
    return fail(std::string(others.next() ? not_yours_text : not_found_text));
}

Result<std::string> Store::settings(std::string_view session) {
    Sql row(db_.get(), "SELECT settings FROM sessions WHERE id = ?", session);
    if (row.next()) return row.text(0);
    if (auto status = row.status(); !status) return status.error();
    return std::string("{}");
}

Result<void> Store::save_settings(std::string_view session, std::string_view json, Wall now) {
    return Sql(db_.get(),
               "INSERT INTO sessions (id, settings, created) VALUES (?, ?, ?) "
               "ON CONFLICT (id) DO UPDATE SET settings = excluded.settings",
               session, json, millis(now))
        .run();
}

Result<std::vector<Conversation>> Store::conversations(std::string_view session) {
    std::vector<Conversation> out;
    Sql rows(db_.get(),
             "SELECT id, title, leaf, created, updated FROM conversations WHERE session = ? "
             "ORDER BY updated DESC, id",
             session);
    while (rows.next()) out.push_back(read_conversation(rows));
    if (auto status = rows.status(); !status) return status.error();
    return out;
}

Result<Conversation> Store::conversation(std::string_view session, std::string_view id) {
    Sql row(db_.get(),
            "SELECT id, title, leaf, created, updated FROM conversations WHERE id = ? AND session = ?", id,
            session);
    if (row.next()) return read_conversation(row);
    if (auto status = row.status(); !status) return status.error();
    return absent(id);
}

Result<Conversation> Store::create_conversation(std::string_view session, std::string_view title, Wall now) {
    Conversation out{new_id(), std::string(title), {}, millis(now), millis(now)};
    auto done = Sql(db_.get(),
                    "INSERT INTO conversations (id, session, title, leaf, created, updated) "
                    "VALUES (?, ?, ?, '', ?, ?)",
                    out.id, session, title, out.created, out.updated)
                    .run();
    if (!done) return done.error();
    return out;
}

Result<void> Store::rename(std::string_view session, std::string_view id, std::string_view title) {
    if (auto there = require(session, id); !there) return there;
    return Sql(db_.get(), "UPDATE conversations SET title = ? WHERE id = ?", title, id).run();
}

Result<void> Store::set_leaf(std::string_view session, std::string_view id, std::string_view message) {
    if (auto there = require(session, id); !there) return there;
    Sql row(db_.get(), "SELECT 1 FROM messages WHERE id = ? AND conversation = ?", message, id);
    if (!row.next()) return row.status() ? Result<void>(fail(std::string(not_found_text))) : row.status();
    return Sql(db_.get(), "UPDATE conversations SET leaf = ? WHERE id = ?", message, id).run();
}

Result<void> Store::remove_conversation(std::string_view session, std::string_view id) {
    if (auto there = require(session, id); !there) return there;
    return Sql(db_.get(), "DELETE FROM conversations WHERE id = ?", id).run();
}

Result<void> Store::remove_all(std::string_view session) {
    return Sql(db_.get(), "DELETE FROM conversations WHERE session = ?", session).run();
}

Result<std::size_t> Store::forget(Wall before, std::size_t most) {
    auto done = Sql(db_.get(),
                    "DELETE FROM conversations WHERE id IN "
                    "(SELECT id FROM conversations WHERE updated < ? ORDER BY updated LIMIT ?)",
                    millis(before), most)
                    .run();
    if (!done) return done.error();
    return static_cast<std::size_t>(sqlite3_changes(db_.get()));
}

Result<std::vector<Message>> Store::messages(std::string_view session, std::string_view conversation) {
    if (auto there = require(session, conversation); !there) return there.error();
    std::vector<Message> out;
    Sql rows(db_.get(),
             "SELECT " + std::string(message_columns) +
                 " FROM messages m WHERE m.conversation = ? ORDER BY m.created, m.rowid",
             conversation);
    while (rows.next()) out.push_back(read_message(rows));
    if (auto status = rows.status(); !status) return status.error();
    return out;
}

Result<std::vector<Message>> Store::path_to(std::string_view session, std::string_view conversation,
                                            std::string_view leaf) {
    if (auto there = require(session, conversation); !there) return there.error();
    std::vector<Message> out;
    if (leaf.empty()) return out;
    Sql rows(db_.get(),
             "WITH RECURSIVE up (id, depth) AS (SELECT ?1, 0 UNION ALL SELECT m.parent, up.depth + 1 FROM "
             "messages m JOIN up ON m.id = up.id WHERE m.parent <> '' AND m.conversation = ?2) SELECT " +
                 std::string(message_columns) +
                 " FROM up JOIN messages m ON m.id = up.id WHERE m.conversation = ?2 ORDER BY up.depth DESC",
             leaf, conversation);
    while (rows.next()) out.push_back(read_message(rows));
    if (auto status = rows.status(); !status) return status.error();
    if (out.empty()) return fail(std::string(not_found_text));
    return out;
}

Result<void> Store::save_message(std::string_view session, std::string_view conversation,
                                 const Message& message, Wall now) {
    if (auto there = require(session, conversation); !there) return there;
    return transaction([&]() -> Result<void> {
        auto done =
            Sql(db_.get(),
                "INSERT INTO messages (id, conversation, parent, role, text, state, details, created) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET text = excluded.text, "
                "state = excluded.state, details = excluded.details",
                message.id, conversation, message.parent, static_cast<int>(message.role), message.text,
                static_cast<int>(message.state), message.details, message.created)
                .run();
        if (!done) return done;
        return Sql(db_.get(), "UPDATE conversations SET leaf = ?, updated = ? WHERE id = ?", message.id,
                   millis(now), conversation)
            .run();
    });
}

}  // namespace spillway::chat
