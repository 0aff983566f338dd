#include "telemetry/ledger.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cmath>
#include <fstream>
#include <limits>
#include <thread>
#include <vector>

#include "telemetry/ledger_query.hpp"
#include "telemetry/sqlite.hpp"
#include "telemetry/temp_dir.hpp"

namespace spillway::telemetry {
namespace {

using namespace std::chrono_literals;
using test::TempDir;

const Wall kNoon = std::chrono::sys_days(std::chrono::year(2025) / 1 / 31) + 12h;

UsageRow row(Wall time, std::string_view client, std::string_view deployment, std::string_view backend) {
    UsageRow r;
    r.time = time;
    r.request_id = "id";
    r.client = client;
    r.deployment = deployment;
    r.backend = backend;
    r.model = "gpt-4o";
    r.operation = "chat.completions";
    r.status = 200;
    r.prompt_tokens = 100;
    r.completion_tokens = 20;
    r.cached_tokens = 10;
    r.reasoning_tokens = 5;
    r.charged_tokens = 111;
    r.cost = 2'500;
    r.took = 250ms;
    return r;
}

UsageQuery all(UsageGroups by = {}) {
    UsageQuery q;
    q.from = kNoon - 24h;
    q.to = kNoon + 24h;
    q.by = by;
    return q;
}

std::uint64_t rows_in(const std::string& path) {
    return query_usage(path, all()).value().at(0).requests;
}

/// One row each hour from noon for a/x/east, one at noon for b/y/west that failed on an estimate.
void fill(const std::string& path, bool with_more = false) {
    const auto ledger = Ledger::open(path).value();
    Ledger::Writer writer = ledger->make_writer();
    for (int hour = 0; hour < 3; ++hour) writer.append(row(kNoon + hour * 1h, "a", "x", "east"));
    UsageRow failed = row(kNoon + 1ms, "b", "y", "west");
    failed.status = 429;
    failed.estimated = true;
    failed.took = 50ms;
    failed.throttled = 3;
    failed.avoided = 0.25;
    writer.append(failed);
    UsageRow spilled = row(kNoon + 61s, "b", "y", "west");
    spilled.spilled = true;
    spilled.avoided = 1;
    if (with_more) writer.append(spilled);
}

TEST(Ledger, TotalsWithoutGroups) {
    const TempDir dir;
    fill(dir.file("usage.db"));
    const auto totals = query_usage(dir.file("usage.db"), all()).value();
    ASSERT_EQ(totals.size(), 1U);
    EXPECT_EQ(totals[0].requests, 4U);
    EXPECT_EQ(totals[0].failed, 1U);
    EXPECT_EQ(totals[0].estimated, 1U);
    EXPECT_EQ(totals[0].prompt_tokens, 400U);
    EXPECT_EQ(totals[0].completion_tokens, 80U);
    EXPECT_EQ(totals[0].cached_tokens, 40U);
    EXPECT_EQ(totals[0].reasoning_tokens, 20U);
    EXPECT_EQ(totals[0].charged_tokens, 444U);
    EXPECT_EQ(totals[0].cost, 10'000U);
    EXPECT_DOUBLE_EQ(totals[0].mean_ms, 250.0) << "of the served";
    EXPECT_TRUE(std::isnan(totals[0].p50_ms)) << "not asked for";
    EXPECT_EQ(totals[0].client, "");
}

TEST(Ledger, PercentilesAreThoseOfTheServedOfEachGroup) {
    const TempDir dir;
    {
        const auto ledger = Ledger::open(dir.file("usage.db")).value();
        Ledger::Writer writer = ledger->make_writer();
        for (int i = 1; i <= 20; ++i) {
            UsageRow served = row(kNoon + i * 1s, i <= 10 ? "a" : "b", "x", "east");
            served.took = i * 10ms;
            writer.append(served);
            served.status = 429;
            served.took = 1ms;
            writer.append(served);
        }
    }
    UsageQuery query = all({.client = true});
    query.percentiles = true;
    const auto totals = query_usage(dir.file("usage.db"), query).value();
    ASSERT_EQ(totals.size(), 2U);
    EXPECT_EQ(totals[0].requests, 20U);
    EXPECT_DOUBLE_EQ(totals[0].p50_ms, 50.0);
    EXPECT_DOUBLE_EQ(totals[0].p95_ms, 100.0);
    EXPECT_DOUBLE_EQ(totals[1].p50_ms, 150.0);
    EXPECT_DOUBLE_EQ(totals[1].mean_ms, 155.0);
}

TEST(Ledger, TotalsByEachKey) {
    const TempDir dir;
    fill(dir.file("usage.db"));
    const auto totals =
        query_usage(dir.file("usage.db"),
                    all({.client = true, .deployment = true, .backend = true, .model = true, .hour = true}))
            .value();
    ASSERT_EQ(totals.size(), 4U);
    EXPECT_EQ(totals[0].time, kNoon);
    EXPECT_EQ(totals[0].client, "a");
    EXPECT_EQ(totals[1].time, kNoon);
    EXPECT_EQ(totals[1].client, "b");
    EXPECT_EQ(totals[1].deployment, "y");
    EXPECT_EQ(totals[1].backend, "west");
    EXPECT_EQ(totals[1].model, "gpt-4o");
    EXPECT_EQ(totals[3].time, kNoon + 2h);

    const auto by_client = query_usage(dir.file("usage.db"), all({.client = true})).value();
    ASSERT_EQ(by_client.size(), 2U);
    EXPECT_EQ(by_client[0].requests, 3U);
    EXPECT_EQ(by_client[1].requests, 1U);
    const auto by_hour = query_usage(dir.file("usage.db"), all({.hour = true})).value();
    ASSERT_EQ(by_hour.size(), 3U);
    EXPECT_EQ(by_hour[0].requests, 2U);
}

TEST(Ledger, TotalsOf429sAndSpillOversByTheMinute) {
    const TempDir dir;
    fill(dir.file("usage.db"), true);
    UsageQuery q = all({.client = true, .minute = true});
    q.client = "b";
    const auto totals = query_usage(dir.file("usage.db"), q).value();
    ASSERT_EQ(totals.size(), 2U);
    EXPECT_EQ(totals[0].time, kNoon);
    EXPECT_EQ(totals[0].refused, 1U);
    EXPECT_EQ(totals[0].throttled, 3U);
    EXPECT_EQ(totals[0].spilled, 0U);
    EXPECT_DOUBLE_EQ(totals[0].avoided, 0.25);
    EXPECT_EQ(totals[1].time, kNoon + 1min);
    EXPECT_EQ(totals[1].spilled, 1U);
    EXPECT_DOUBLE_EQ(totals[1].avoided, 1);
}

TEST(Ledger, TotalsOfATimeSpanAndFilters) {
    const TempDir dir;
    const std::string path = dir.file("usage.db");
    fill(path);
    UsageQuery q = all();
    q.from = kNoon;
    q.to = kNoon + 1h;  // the row at one o'clock is not in it
    EXPECT_EQ(query_usage(path, q).value().at(0).requests, 2U);
    q.client = "a";
    EXPECT_EQ(query_usage(path, q).value().at(0).requests, 1U);
    q.client = "b' OR '1'='1";
    EXPECT_EQ(query_usage(path, q).value().at(0).requests, 0U);
    q.client.clear();
    q.backend = "west";
    q.deployment = "y";
    EXPECT_EQ(query_usage(path, q).value().at(0).requests, 1U);
    q.deployment = "x";
    EXPECT_EQ(query_usage(path, q).value().at(0).requests, 0U);
    q = all({.hour = true});
    q.limit = 1;
    EXPECT_EQ(query_usage(path, q).value().size(), 1U);
    q.from = q.to;
    EXPECT_TRUE(query_usage(path, q).value().empty());
}

TEST(Ledger, TotalsByUserTeamAndKey) {
    const TempDir dir;
    const std::string path = dir.file("usage.db");
    {
        const auto ledger = Ledger::open(path).value();
        Ledger::Writer writer = ledger->make_writer();
        UsageRow r = row(kNoon, "a", "x", "east");
        for (const std::string_view user : {"ann", "bob", "ann", ""}) {
            r.user = user;
            r.team = user == "bob" ? "red" : "blue";
            r.key = user == "ann" ? "key_1" : "";
            writer.append(r);
        }
    }
    const auto by_user = query_usage(path, all({.user = true})).value();
    ASSERT_EQ(by_user.size(), 3U);
    EXPECT_EQ(by_user[1].user, "ann");
    EXPECT_EQ(by_user[1].cost, 5'000U);
    EXPECT_EQ(by_user[1].client, "");
    const auto by_team = query_usage(path, all({.team = true})).value();
    ASSERT_EQ(by_team.size(), 2U);
    EXPECT_EQ(by_team[0].team, "blue");
    EXPECT_EQ(by_team[0].requests, 3U);
    const auto by_key = query_usage(path, all({.key = true})).value();
    ASSERT_EQ(by_key.size(), 2U);
    EXPECT_EQ(by_key[1].key, "key_1");
    EXPECT_EQ(by_key[1].requests, 2U);
    UsageQuery q = all();
    q.user = "ann";
    q.team = "blue";
    EXPECT_EQ(query_usage(path, q).value().at(0).requests, 2U);
    q.key = "key_1";
    EXPECT_EQ(query_usage(path, q).value().at(0).requests, 2U);
    q.team = "red";
    EXPECT_EQ(query_usage(path, q).value().at(0).requests, 0U);
}

TEST(Ledger, ItsIdStaysWithTheFile) {
    const TempDir dir;
    const std::string first = Ledger::open(dir.file("a.db")).value()->id();
    EXPECT_EQ(first.size(), 16U);
    EXPECT_EQ(Ledger::open(dir.file("a.db")).value()->id(), first);
    EXPECT_NE(Ledger::open(dir.file("b.db")).value()->id(), first);
}

TEST(Ledger, DropsWhatIsOlderThanItKeeps) {
    const TempDir dir;
    const std::string path = dir.file("usage.db");
    const Wall now = wall_now();
    const auto count = [&] {
        UsageQuery q;
        q.from = now - 100h * 24;
        q.to = now + 1h;
        return query_usage(path, q).value().at(0).requests;
    };
    {
        const auto ledger = Ledger::open(path).value();
        Ledger::Writer writer = ledger->make_writer();
        for (int i = 0; i < 2500; ++i) writer.append(row(now - 40h * 24 - i * 1s, "a", "x", "east"));
        for (int day = 0; day < 31; ++day) writer.append(row(now - day * 24h, "a", "x", "east"));
    }
    EXPECT_EQ(count(), 2531U) << "none are dropped by default";
    const auto ledger = Ledger::open(path, {.interval = 5ms, .keep = 32h * 24}).value();
    for (int i = 0; i < 1000 && count() > 31; ++i) std::this_thread::sleep_for(5ms);
    EXPECT_EQ(count(), 31U);
}

TEST(LedgerSchema, AFileOfTheFirstSchemaIsBroughtUp) {
    const TempDir dir;
    const std::string path = dir.file("usage.db");
    {
        const Database db = open_database(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE).value();
        ASSERT_TRUE(execute(db.get(), R"sql(
            CREATE TABLE usage (id INTEGER PRIMARY KEY, time_ms INTEGER NOT NULL, request_id TEXT NOT NULL,
                client TEXT NOT NULL, backend TEXT NOT NULL, deployment TEXT NOT NULL, model TEXT NOT NULL,
                operation TEXT NOT NULL, status INTEGER NOT NULL, prompt_tokens INTEGER NOT NULL,
                completion_tokens INTEGER NOT NULL, cached_tokens INTEGER NOT NULL,
                reasoning_tokens INTEGER NOT NULL, estimated INTEGER NOT NULL, took_ms REAL NOT NULL) STRICT;
            CREATE INDEX usage_time ON usage (time_ms);
            INSERT INTO usage VALUES (1, 1738324800000, 'id', 'a', 'east', 'x', 'm', 'chat', 200, 10, 5, 0, 0, 0, 1);
            PRAGMA user_version = 1;)sql"));
    }
    fill(path);
    const auto totals = query_usage(path, all({.client = true})).value();
    ASSERT_EQ(totals.size(), 2U);
    EXPECT_EQ(totals[0].requests, 4U);
    EXPECT_EQ(totals[0].charged_tokens, 3 * 111U + 15U);
}

TEST(Ledger, SyncCommitsAndAnotherOpenGoesOn) {
    const TempDir dir;
    const std::string path = dir.file("usage.db");
    for (std::uint64_t turn = 1; turn <= 2; ++turn) {
        const auto ledger = Ledger::open(path, {.interval = 1h}).value();
        Ledger::Writer writer = ledger->make_writer();
        Ledger::Writer other = ledger->make_writer();
        writer.append(row(kNoon, "a", "x", "east"));
        other.append(row(kNoon, "a", "x", "east"));
        ledger->sync();
        EXPECT_EQ(ledger->stats().committed_rows, 2U);
        EXPECT_EQ(rows_in(path), 2 * turn);
    }
}

TEST(Ledger, KeepsRowsOfManyThreadsAndOfWritersGone) {
    const TempDir dir;
    const std::string path = dir.file("usage.db");
    constexpr int kThreads = 4;
    constexpr int kRows = 2000;
    {
        const auto ledger = Ledger::open(path, {.interval = 1ms}).value();
        std::vector<std::thread> threads;
        for (int t = 0; t < kThreads; ++t)
            threads.emplace_back([&ledger] {
                Ledger::Writer first = ledger->make_writer();
                Ledger::Writer writer = std::move(first);
                for (int i = 0; i < kRows; ++i) writer.append(row(kNoon, "a", "x", "east"));
            });
        for (std::thread& thread : threads) thread.join();
    }
    EXPECT_EQ(rows_in(path), static_cast<std::uint64_t>(kThreads) * kRows);
}

TEST(Ledger, RepairsTextAndCapsCounts) {
    const TempDir dir;
    const std::string path = dir.file("usage.db");
    {
        const auto ledger = Ledger::open(path).value();
        Ledger::Writer writer = ledger->make_writer();
        UsageRow r = row(kNoon, "a", "bad\xff", "");
        r.prompt_tokens = std::numeric_limits<std::uint64_t>::max();
        for (int i = 0; i < 3; ++i) writer.append(r);
    }
    const auto totals = query_usage(path, all({.deployment = true})).value();
    ASSERT_EQ(totals.size(), 1U);
    EXPECT_EQ(totals[0].deployment, "bad\xEF\xBF\xBD");
    EXPECT_EQ(totals[0].backend, "");
    EXPECT_EQ(totals[0].prompt_tokens, 3'000'000'000'000U);
}

TEST(Ledger, DropsPastItsBoundAndCounts) {
    const TempDir dir;
    const std::string path = dir.file("usage.db");
    const auto ledger = Ledger::open(path, {.interval = 1h, .max_rows = 10}).value();
    ledger->sync();  // the first turn is over: nothing is collected before the next sync
    Ledger::Writer writer = ledger->make_writer();
    for (int i = 0; i < 15; ++i) writer.append(row(kNoon, "a", "x", "east"));
    EXPECT_EQ(ledger->stats().dropped_rows, 5U);
    ledger->sync();
    EXPECT_EQ(rows_in(path), 10U);
}

TEST(Ledger, KeepsRowsOfAFailedCommitAndTriesAgain) {
    const TempDir dir;
    const std::string path = dir.file("usage.db");
    const auto ledger = Ledger::open(path, {.interval = 1h}).value();
    Ledger::Writer writer = ledger->make_writer();
    // Another connection makes every insert fail, then lets them through.
    const Database db = open_database(path, SQLITE_OPEN_READWRITE).value();
    ASSERT_TRUE(
        execute(db.get(), "CREATE TRIGGER no BEFORE INSERT ON usage BEGIN SELECT RAISE(ABORT, 'no'); END"));
    ledger->sync();  // its thread has begun and rests: the next commit is the one asked for
    writer.append(row(kNoon, "a", "x", "east"));
    ledger->sync();
    EXPECT_EQ(ledger->stats().failed_commits, 1U);
    EXPECT_EQ(rows_in(path), 0U);
    ASSERT_TRUE(execute(db.get(), "DROP TRIGGER no"));
    writer.append(row(kNoon, "a", "x", "east"));
    ledger->sync();
    EXPECT_EQ(ledger->stats().committed_rows, 2U);
    EXPECT_EQ(rows_in(path), 2U);
}

TEST(Ledger, BeginsAnewAFileThatWasDeletedOrReplaced) {
    const TempDir dir;
    const std::string path = dir.file("usage.db");
    auto ledger = Ledger::open(path);
    ASSERT_TRUE(ledger) << ledger.error().message;
    struct stat info {};
    ASSERT_EQ(::stat(path.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0027U, 0U);
    auto writer = (*ledger)->make_writer();
    writer.append(row(kNoon, "a", "d", "b"));
    (*ledger)->sync();
    EXPECT_FALSE((*ledger)->change());
    for (const char* more : {"", "-wal", "-shm"}) ::unlink((path + more).c_str());
    std::optional<Health::Change> change;
    for (int i = 0; i < 300 && !change; ++i) {
        std::this_thread::sleep_for(10ms);
        change = (*ledger)->change();
    }
    ASSERT_TRUE(change);
    EXPECT_TRUE(change->works);
    EXPECT_NE(change->why.find("deleted"), std::string::npos);
    writer.append(row(kNoon, "a", "d", "b"));
    writer.append(row(kNoon, "a", "d", "b"));
    (*ledger)->sync();
    EXPECT_EQ(rows_in(path), 2U);
}

TEST(Ledger, RefusesWhatIsNoLedger) {
    const TempDir dir;
    EXPECT_FALSE(Ledger::open("/nonexistent/usage.db"));
    std::ofstream(dir.file("text.db")) << std::string(5000, 'x');
    EXPECT_FALSE(Ledger::open(dir.file("text.db")));
    EXPECT_FALSE(query_usage(dir.file("none.db"), all()));
    EXPECT_FALSE(query_usage(dir.file("text.db"), all()));
}

TEST(LedgerSchema, MigratesStepByStep) {
    const TempDir dir;
    const Database db = open_database(dir.file("m.db"), SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE).value();
    const std::array<const char*, 2> two{"CREATE TABLE t (a INTEGER)", "ALTER TABLE t ADD COLUMN b INTEGER"};
    const std::span<const char* const> steps(two);
    EXPECT_TRUE(migrate(db.get(), steps.first(1)));
    EXPECT_TRUE(execute(db.get(), "INSERT INTO t (a) VALUES (1)"));
    EXPECT_FALSE(execute(db.get(), "INSERT INTO t (b) VALUES (1)"));
    EXPECT_TRUE(migrate(db.get(), steps));
    EXPECT_TRUE(migrate(db.get(), steps));  // nothing left to do
    EXPECT_TRUE(execute(db.get(), "INSERT INTO t (b) VALUES (1)"));
    const auto older = migrate(db.get(), steps.first(1));
    ASSERT_FALSE(older);
    EXPECT_THAT(older.error().message, testing::HasSubstr("newer"));
}

TEST(LedgerSchema, AFailingStepChangesNothing) {
    const TempDir dir;
    const Database db = open_database(dir.file("m.db"), SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE).value();
    const std::array<const char*, 2> broken{"CREATE TABLE t (a INTEGER)", "NONSENSE"};
    EXPECT_FALSE(migrate(db.get(), broken));
    EXPECT_FALSE(execute(db.get(), "INSERT INTO t (a) VALUES (1)"));
    EXPECT_FALSE(prepare(db.get(), "SELECT"));
}

/// What the child of the kill test does: a row each millisecond, its time told after append().
[[noreturn]] void append_until_killed(const std::string& path, int pipe) {
    auto ledger = Ledger::open(path);
    if (!ledger) ::_exit(1);
    Ledger::Writer writer = (*ledger)->make_writer();
    for (;;) {
        writer.append(row(kNoon, "a", "x", "east"));
        const std::int64_t appended = mono_now().time_since_epoch().count();
        if (::write(pipe, &appended, sizeof appended) != sizeof appended) ::_exit(1);
        std::this_thread::sleep_for(1ms);
    }
}

// Real time by nature: what is promised is about a process killed at a real moment.
TEST(LedgerCrash, KillLosesAtMostTheLast200Milliseconds) {
    const TempDir dir;
    const std::string path = dir.file("usage.db");
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe(ends.data()), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) append_until_killed(path, ends[1]);
    ::close(ends[1]);
    std::vector<std::int64_t> appended;
    std::int64_t at = 0;
    while (appended.size() < 600 && ::read(ends[0], &at, sizeof at) == sizeof at) appended.push_back(at);
    const std::int64_t killed = mono_now().time_since_epoch().count();
    ::kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status));
    while (::read(ends[0], &at, sizeof at) == sizeof at) appended.push_back(at);
    ::close(ends[0]);

    const auto safe =
        static_cast<std::uint64_t>(std::count_if(appended.begin(), appended.end(), [&](std::int64_t t) {
            return t < killed - Duration(200ms).count();
        }));
    EXPECT_GT(safe, 100U);
    const std::uint64_t kept = rows_in(path);
    EXPECT_GE(kept, safe);
    EXPECT_LE(kept, appended.size() + 1);  // one may be appended and not yet told

    const Database db = open_database(path, SQLITE_OPEN_READWRITE).value();
    const Statement check = prepare(db.get(), "PRAGMA integrity_check").value();
    ASSERT_EQ(sqlite3_step(check.get()), SQLITE_ROW);
    EXPECT_STREQ(reinterpret_cast<const char*>(sqlite3_column_text(check.get(), 0)), "ok");
}

}  // namespace
}  // namespace spillway::telemetry
