#include "telemetry/access_log.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <simdjson.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <memory>
#include <system_error>

#include "telemetry/temp_dir.hpp"

namespace spillway::telemetry {
namespace {

using namespace std::chrono_literals;
using test::lines_of;
using test::read_file;
using test::TempDir;

AccessRecord sample(std::string_view id) {
    AccessRecord r;
    r.time = std::chrono::sys_days(std::chrono::year(2025) / 1 / 31) + 12h + 34min + 56s + 789ms;
    r.request_id = id;
    r.client = "team-a";
    r.method = "POST";
    r.target = "/openai/deployments/gpt/chat/completions?api-version=1";
    r.status = 200;
    r.outcome = "ok";
    return r;
}

std::string line(const AccessRecord& r) {
    Rfc3339 stamp;
    std::string out;
    append_access_line(out, r, stamp);
    return out;
}

TEST(AccessLine, HasEveryField) {
    AccessRecord r = sample("id-1");
    const std::array<AttemptRecord, 2> attempts{
        {{"east", "throttled", 429, 3ms + 500us}, {"west", "ok", 200, 41ms}}};
    r.client_address = "10.0.0.1:5000";
    r.operation = "chat.completions";
    r.deployment = "gpt";
    r.model = "gpt-4o";
    r.stream = true;
    r.backend = "west";
    r.attempts = attempts;
    r.tokens_in = 12;
    r.tokens_out = 34;
    r.tokens_cached = 5;
    r.tokens_known = true;
    r.bytes_out = 4096;
    r.first_byte = 12ms;
    r.total = 45ms + 678us;
    EXPECT_EQ(
        line(r),
        R"({"time":"2025-01-31T12:34:56.789Z","request_id":"id-1","client":"team-a",)"
        R"("client_address":"10.0.0.1:5000","method":"POST",)"
        R"("path":"/openai/deployments/gpt/chat/completions?api-version=1",)"
        R"("operation":"chat.completions","deployment":"gpt","model":"gpt-4o","stream":true,)"
        R"("backend":"west","attempts":[{"backend":"east","reason":"throttled","status":429,"ms":3.500},)"
        R"({"backend":"west","reason":"ok","status":200,"ms":41.000}],"status":200,"tokens_in":12,)"
        R"("tokens_out":34,"tokens_cached":5,"tokens_known":true,"bytes_out":4096,)"
        R"("first_byte_ms":12.000,"total_ms":45.678,"outcome":"ok"})"
        "\n");
}

TEST(AccessLine, IsValidJsonWhateverTheClientSent) {
    std::string nasty;
    for (int c = 0; c < 256; ++c) nasty += static_cast<char>(c);
    nasty += "\xE2\x82";  // and a sequence cut short at the end
    AccessRecord r = sample(nasty);
    const std::array<AttemptRecord, 1> attempts{{{nasty, nasty, -1, 0ms}}};
    r.client = r.client_address = r.method = r.target = r.operation = nasty;
    r.deployment = r.model = r.backend = r.outcome = nasty;
    r.attempts = attempts;
    const std::string text = line(r);
    simdjson::dom::parser parser;
    const auto parsed = parser.parse(text);
    ASSERT_EQ(parsed.error(), simdjson::SUCCESS);
    EXPECT_TRUE(parsed["first_byte_ms"].is_null());
    const auto deployment = std::string(std::string_view(parsed["deployment"]));
    EXPECT_THAT(deployment, testing::StartsWith(std::string("\0\x01\x02", 3)));
    EXPECT_THAT(deployment, testing::EndsWith("\xEF\xBF\xBD"));
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
}

TEST(AccessLine, StaysBounded) {
    const std::string huge(1'000'000, '\x01');
    AccessRecord r = sample(huge);
    r.target = r.deployment = r.model = huge;
    EXPECT_LT(line(r).size(), 32'000U);
}

TEST(AccessLog, WritesAtFlushAndAtTheEnd) {
    const TempDir dir;
    const std::string path = dir.file("access.log");
    {
        AccessLog log(path);
        {
            AccessLog::Writer writer = log.make_writer();
            writer.write(sample("one"));
            writer.write(sample("two"));
            log.sync();
            EXPECT_EQ(read_file(path), "");
            writer.flush();
            log.sync();
            EXPECT_EQ(lines_of(read_file(path)).size(), 2U);
            EXPECT_EQ(log.stats().written_lines, 2U);
            writer.flush();
            AccessLog::Writer moved = std::move(writer);
            moved.write(sample("three"));
        }
    }
    const auto lines = lines_of(read_file(path));
    ASSERT_EQ(lines.size(), 3U);
    EXPECT_THAT(lines[2], testing::HasSubstr("\"request_id\":\"three\""));
}

TEST(AccessLog, HandsOverFullBuffersByItself) {
    const TempDir dir;
    AccessLog log(dir.file("access.log"), {.buffer_bytes = 2000, .max_buffers = 1000});
    AccessLog::Writer writer = log.make_writer();
    for (int i = 0; i < 100; ++i) writer.write(sample(std::to_string(i)));
    log.sync();
    const auto lines = lines_of(read_file(dir.file("access.log")));
    EXPECT_GT(lines.size(), 90U);
    EXPECT_LE(lines.size(), 100U);
    EXPECT_EQ(log.stats().dropped_lines, 0U);
}

TEST(AccessLog, HandsOverMuchWhenTheThreadIsIdle) {
    const TempDir dir;
    AccessLog log(dir.file("access.log"), {.idle_bytes = 2000});
    AccessLog::Writer writer = log.make_writer();
    writer.write(sample("one"));
    writer.idle();
    log.sync();
    EXPECT_EQ(log.stats().written_lines, 0U) << "too little to wake the writer thread for";
    for (int i = 0; i < 99; ++i) writer.write(sample(std::to_string(i)));
    log.sync();
    EXPECT_EQ(log.stats().written_lines, 0U);
    writer.idle();
    log.sync();
    EXPECT_EQ(log.stats().written_lines, 100U);
}

TEST(AccessLog, KeepsAllLinesOfManyThreads) {
    const TempDir dir;
    constexpr int kThreads = 4;
    constexpr int kLines = 2000;
    {
        AccessLog log(dir.file("access.log"), {.max_buffers = 100'000});
        std::vector<std::thread> threads;
        for (int t = 0; t < kThreads; ++t)
            threads.emplace_back([&log] {
                AccessLog::Writer writer = log.make_writer();
                for (int i = 0; i < kLines; ++i) {
                    writer.write(sample("x"));
                    if (i % 100 == 0) writer.flush();
                }
            });
        for (std::thread& thread : threads) thread.join();
        log.reopen();
        log.sync();
        EXPECT_EQ(log.stats().written_lines, static_cast<std::uint64_t>(kThreads) * kLines);
    }
    const auto lines = lines_of(read_file(dir.file("access.log")));
    EXPECT_EQ(lines.size(), static_cast<std::size_t>(kThreads) * kLines);
    simdjson::dom::parser parser;
    for (const std::string& text : lines) ASSERT_EQ(parser.parse(text).error(), simdjson::SUCCESS);
}

TEST(AccessLog, ReopensForRotation) {
    const TempDir dir;
    const std::string path = dir.file("access.log");
    AccessLog log(path);
    AccessLog::Writer writer = log.make_writer();
    writer.write(sample("old"));
    writer.flush();
    log.sync();
    std::filesystem::rename(path, path + ".1");
    log.reopen();
    log.sync();
    writer.write(sample("new"));
    writer.flush();
    log.sync();
    EXPECT_THAT(read_file(path + ".1"), testing::HasSubstr("\"old\""));
    EXPECT_THAT(read_file(path), testing::HasSubstr("\"new\""));
    EXPECT_EQ(log.stats().reopens, 1U);

    // A path that cannot be opened any more: the old file goes on.
    std::filesystem::rename(path, path + ".2");
    std::filesystem::create_directory(path);
    log.reopen();
    writer.write(sample("newer"));
    writer.flush();
    log.sync();
    EXPECT_THAT(read_file(path + ".2"), testing::HasSubstr("\"newer\""));
    EXPECT_EQ(log.stats().reopens, 1U);
    EXPECT_EQ(log.stats().write_errors, 1U);
}

TEST(AccessLog, CountsWhatTheDiskRefuses) {
    AccessLog log("/dev/full");
    AccessLog::Writer writer = log.make_writer();
    for (int i = 0; i < 5; ++i) writer.write(sample("x"));
    writer.flush();
    log.sync();
    EXPECT_EQ(log.stats().written_lines, 0U);
    EXPECT_EQ(log.stats().dropped_lines, 5U);
    EXPECT_EQ(log.stats().write_errors, 1U);
}

TEST(AccessLog, RefusesAPathThatCannotBeOpened) {
    EXPECT_THROW(AccessLog("/nonexistent/dir/access.log"), std::system_error);
}

/// A FIFO whose reader the test plays.
class Pipe {
public:
    explicit Pipe(const std::string& path) {
        if (::mkfifo(path.c_str(), 0600) == 0) fd_ = ::open(path.c_str(), O_RDWR | O_NONBLOCK);
    }
    Pipe(const Pipe&) = delete;
    Pipe& operator=(const Pipe&) = delete;
    ~Pipe() { ::close(fd_); }
    [[nodiscard]] bool ok() const { return fd_ >= 0; }
    void drain(std::string& into) const {
        std::array<char, 65536> bytes;
        for (ssize_t n = 0; (n = ::read(fd_, bytes.data(), bytes.size())) > 0;)
            into.append(bytes.data(), static_cast<std::size_t>(n));
    }

private:
    int fd_ = -1;
};

TEST(AccessLog, DropsAndCountsWhenTheReaderStandsStill) {
    const TempDir dir;
    const std::string path = dir.file("fifo");
    const Pipe pipe(path);
    ASSERT_TRUE(pipe.ok());
    constexpr std::uint64_t kLines = 3000;  // about 1.2 MB; the pipe takes 64 KiB, the queue 4 × 10 kB
    std::string received;
    AccessLog log(path, {.buffer_bytes = 10'000, .max_buffers = 4});
    {
        AccessLog::Writer writer = log.make_writer();
        for (std::uint64_t i = 0; i < kLines; ++i) writer.write(sample(std::to_string(i)));
    }
    EXPECT_GT(log.stats().dropped_lines, 0U);
    // What was neither dropped nor stuck arrives whole once the reader wakes.
    while (log.stats().written_lines + log.stats().dropped_lines < kLines) {
        pipe.drain(received);
        std::this_thread::yield();
    }
    pipe.drain(received);
    EXPECT_EQ(lines_of(received).size(), log.stats().written_lines);
    EXPECT_EQ(log.stats().write_errors, 0U);
    simdjson::dom::parser parser;
    for (const std::string& text : lines_of(received))
        ASSERT_EQ(parser.parse(text).error(), simdjson::SUCCESS);
}

TEST(AccessLog, EndsThoughTheReaderStandsStill) {
    const TempDir dir;
    const std::string path = dir.file("fifo");
    const Pipe pipe(path);
    ASSERT_TRUE(pipe.ok());
    auto log = std::make_unique<AccessLog>(path, AccessLogOptions{.buffer_bytes = 200'000, .max_buffers = 4});
    {
        AccessLog::Writer writer = log->make_writer();
        for (int i = 0; i < 1000; ++i) writer.write(sample("x"));
    }
    log.reset();  // would hang for ever if it insisted
    std::string received;
    pipe.drain(received);
    EXPECT_LE(received.size(), 65536U);
    EXPECT_GT(received.size(), 0U);
}

TEST(AccessLog, StartsANewLineAfterATornOne) {
    const TempDir dir;
    const std::string path = dir.file("fifo");
    ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
    // No O_RDWR here: closing the only reader must break the pipe.
    int reader = ::open(path.c_str(), O_RDONLY | O_NONBLOCK);
    ASSERT_GE(reader, 0);
    AccessLog log(path, {.buffer_bytes = 300'000, .max_buffers = 4});
    AccessLog::Writer writer = log.make_writer();
    for (int i = 0; i < 500; ++i) writer.write(sample("first"));
    writer.flush();
    std::array<char, 5000> some;
    while (::read(reader, some.data(), some.size()) <= 0) std::this_thread::yield();
    ::close(reader);
    log.sync();  // EPIPE, not SIGPIPE, once the reader is gone
    EXPECT_EQ(log.stats().write_errors, 1U);
    EXPECT_EQ(log.stats().written_lines + log.stats().dropped_lines, 500U);
    reader = ::open(path.c_str(), O_RDONLY | O_NONBLOCK);
    writer.write(sample("second"));
    writer.flush();
    // What was written before the break may still fill the pipe, so read until the new line is there.
    std::string received;
    while (!received.ends_with("\"ok\"}\n") || received.find("second") == std::string::npos) {
        const ssize_t n = ::read(reader, some.data(), some.size());
        if (n > 0)
            received.append(some.data(), static_cast<std::size_t>(n));
        else
            std::this_thread::yield();
    }
    EXPECT_THAT(lines_of(received).back(), testing::StartsWith("{\"time\""));
    EXPECT_THAT(lines_of(received).back(), testing::HasSubstr("second"));
    ::close(reader);
}

TEST(AccessLog, WritesToStandardOutput) {
    testing::internal::CaptureStdout();
    {
        AccessLog log("-");
        AccessLog::Writer writer = log.make_writer();
        writer.write(sample("to-stdout"));
        log.reopen();  // nothing to reopen
        writer.flush();
        log.sync();
        EXPECT_EQ(log.stats().reopens, 0U);
    }
    EXPECT_THAT(testing::internal::GetCapturedStdout(), testing::HasSubstr("to-stdout"));
}

}  // namespace
}  // namespace spillway::telemetry
