// The process log's way out: nobody waits for its reader.
#include "telemetry/descriptor_sink.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <spdlog/logger.h>
#include <unistd.h>

#include <array>
#include <csignal>

#include "base/file_descriptor.hpp"

namespace spillway::telemetry {
namespace {

struct Pipe {
    Pipe() {
        std::array<int, 2> ends{};
        EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
        reader = FileDescriptor(ends[0]);
        writer = FileDescriptor(ends[1]);
        ::fcntl(writer.get(), F_SETPIPE_SZ, 4096);
        ::fcntl(reader.get(), F_SETFL, O_NONBLOCK);
    }
    std::string read() const {
        std::string out;
        std::array<char, 4096> part{};
        for (ssize_t n = 0; (n = ::read(reader.get(), part.data(), part.size())) > 0;)
            out.append(part.data(), static_cast<std::size_t>(n));
        return out;
    }
    FileDescriptor reader, writer;
};

struct Log {
    explicit Log(int fd) : sink(std::make_shared<DescriptorSink>(fd)), logger("x", sink) {
        logger.set_pattern("%v");
    }
    std::shared_ptr<DescriptorSink> sink;
    spdlog::logger logger;
};

TEST(DescriptorSink, WritesAtOnceToWhoReads) {
    const Pipe pipe;
    Log log(pipe.writer.get());
    log.logger.info("one");
    EXPECT_EQ(pipe.read(), "one\n");
    log.logger.info("two");
    EXPECT_EQ(pipe.read(), "two\n");
}

TEST(DescriptorSink, KeepsWhatIsNotTakenAndTellsWhatIsLost) {
    const Pipe pipe;
    Log log(pipe.writer.get());
    constexpr int lines = 2000;
    const std::string filler(100, 'x');
    for (int i = 0; i < lines; ++i) log.logger.info("{} {}", i, filler);
    std::string all;
    for (int i = 0; i < 1000; ++i) {
        all += pipe.read();
        log.logger.flush();
    }
    EXPECT_TRUE(all.starts_with("0 x"));
    std::size_t whole = 0;
    for (const char c : all) whole += c == '\n' ? 1U : 0U;
    const auto told = all.find("lines of this log are missing");
    ASSERT_NE(told, std::string::npos) << all.substr(all.size() - 200);
    const auto from = all.rfind('(', told) + 1;
    EXPECT_EQ(whole - 1 + std::stoul(all.substr(from)), static_cast<std::size_t>(lines));
    EXPECT_GT(all.size(), DescriptorSink::kMostKept);
    log.logger.info("again");
    EXPECT_EQ(pipe.read(), "again\n");
}

TEST(DescriptorSink, AReaderThatLeftCostsNothing) {
    Pipe pipe;
    Log log(pipe.writer.get());
    pipe.reader.reset();
    const auto before = ::signal(SIGPIPE, SIG_IGN);
    for (int i = 0; i < 10'000; ++i) log.logger.info("nobody reads this line, and it is not short");
    ::signal(SIGPIPE, before);
}

}  // namespace
}  // namespace spillway::telemetry
