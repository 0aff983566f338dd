// A history of each schema that was released can be opened. A change of the schema is a new step in
// chat/store.cpp, and a new list here of what the step before it made; those that are here stay.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "chat/sql.hpp"
#include "chat/store.hpp"
#include "telemetry/temp_dir.hpp"

namespace spillway::chat {
namespace {

using telemetry::test::TempDir;

constexpr const char* kSchemaOne = R"sql(
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
PRAGMA user_version = 1;
)sql";

constexpr const char* kHistory = R"sql(
INSERT INTO sessions VALUES ('ann', '{"sources":5}', 1);
INSERT INTO conversations VALUES ('c1', 'ann', 'River', 'm2', 1000, 2000);
INSERT INTO messages VALUES ('m1', 'c1', '', 0, 'What is a weir?', 0, '{}', 1000);
INSERT INTO messages VALUES ('m2', 'c1', 'm1', 1, 'A low dam.', 0, '{"backend":"r1"}', 2000);
INSERT INTO documents VALUES ('d1', 'c1', 'notes.md', 'text/markdown', 9, 1, 1, '', 1500, x'616263');
INSERT INTO pages VALUES ('d1', 1, 'weir text');
INSERT INTO chunks VALUES (1, 'd1', 1, 1, 'weir text', NULL);
INSERT INTO chunk_terms (rowid, terms) VALUES (1, 'weir text');
)sql";

/// What the file's tables, indexes and triggers are.
std::vector<std::string> schema_of(const std::string& path) {
    const auto db = telemetry::open_database(path, SQLITE_OPEN_READONLY).value();
    std::vector<std::string> out;
    Sql rows(db.get(), "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name");
    while (rows.next()) out.push_back(rows.text(0));
    return out;
}

TEST(StoreMigration, AHistoryOfTheFirstSchemaIsOpenedWhole) {
    const TempDir folder;
    const std::string old = folder.file("old.db");
    {
        const auto db = telemetry::open_database(old, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE).value();
        ASSERT_TRUE(telemetry::execute(db.get(), kSchemaOne));
        ASSERT_TRUE(telemetry::execute(db.get(), kHistory));
    }
    {
        Store store = Store::open(old).value();
        EXPECT_EQ(store.settings("ann").value(), R"({"sources":5})");
        const auto conversations = store.conversations("ann").value();
        ASSERT_EQ(conversations.size(), 1U);
        EXPECT_EQ(conversations[0].title, "River");
        const auto messages = store.messages("ann", "c1").value();
        ASSERT_EQ(messages.size(), 2U);
        EXPECT_EQ(messages[1].text, "A low dam.");
        EXPECT_EQ(messages[1].parent, "m1");
        EXPECT_EQ(messages[1].details, R"({"backend":"r1"})");
        EXPECT_EQ(store.document("ann", "d1").value().name, "notes.md");
        EXPECT_EQ(store.page_text("ann", "d1", 1).value(), "weir text");
    }
    const std::string fresh = folder.file("fresh.db");
    ASSERT_TRUE(Store::open(fresh));
    EXPECT_EQ(schema_of(old), schema_of(fresh)) << "a released step was edited, or one is missing";
}

TEST(StoreMigration, AHistoryOfANewerProgramIsLeftAlone) {
    const TempDir folder;
    const std::string path = folder.file("newer.db");
    ASSERT_TRUE(Store::open(path));
    {
        const auto db = telemetry::open_database(path, SQLITE_OPEN_READWRITE).value();
        ASSERT_TRUE(telemetry::execute(db.get(), "PRAGMA user_version = 99"));
    }
    const auto opened = Store::open(path);
    ASSERT_FALSE(opened);
    EXPECT_THAT(opened.error().message, testing::HasSubstr("newer"));
}

}  // namespace
}  // namespace spillway::chat
