#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "app/stack_process.hpp"
#include "blocking.hpp"
#include "config/sources.hpp"

namespace spillway::app::stack {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class ProcessTest : public testing::Test {
protected:
    ProcessTest() {
        std::string name = (fs::temp_directory_path() / "spillway-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
        root_ = name;
    }
    ~ProcessTest() override {
        std::error_code ec;
        fs::remove_all(root_, ec);
    }
    [[nodiscard]] Command shell(const std::string& script) const {
        return {"/bin/sh", {"-c", script}, root_.string(), log()};
    }
    [[nodiscard]] std::string log() const { return (root_ / "log").string(); }
    static void pause() { std::this_thread::sleep_for(std::chrono::milliseconds(2)); }
    static std::string wait_end(const ProcessId& process) {
        for (int i = 0; i < 5000; ++i, pause())
            if (const auto how = how_it_ended(process)) return *how;
        return "still running";
    }
    static Stopped stop_it(const ProcessId& process, int grace_ms) {
        return stop(process, std::chrono::milliseconds(grace_ms), pause);
    }
    fs::path root_;
};

TEST_F(ProcessTest, RunsInASessionAndFolderOfItsOwnWithALog) {
    const auto process =
        start(shell("echo out; echo err >&2; pwd; ls /proc/self/fd | wc -l; read x || echo eof"));
    ASSERT_TRUE(process) << process.error().message;
    EXPECT_EQ(::getsid(process->pid), process->pid);
    EXPECT_EQ(wait_end(*process), "ended with exit status 0");
    const std::string text = config::read_whole_file(log()).value();
    // 0, 1, 2 and the one `ls` has the folder open with.
    EXPECT_EQ(text, "out\nerr\n" + root_.string() + "\n4\neof\n");
    struct stat s {};
    ASSERT_EQ(::stat(log().c_str(), &s), 0);
    EXPECT_EQ(s.st_mode & 0777U, 0600U & s.st_mode);
}

TEST_F(ProcessTest, SaysHowItEnded) {
    EXPECT_EQ(wait_end(*start(shell("exit 3"))), "ended with exit status 3");
    EXPECT_EQ(wait_end(*start(shell("kill -9 $$"))), "ended by signal 9");
}

TEST_F(ProcessTest, AProgramThatIsNotThereIsAnError) {
    const auto process = start({(root_ / "nothing").string(), {}, root_.string(), log()});
    ASSERT_FALSE(process.has_value());
    EXPECT_THAT(process.error().message, HasSubstr("nothing"));
}

TEST_F(ProcessTest, EndsByTheGentleSignal) {
    const auto process = start({"/bin/sleep", {"1000"}, root_.string(), log()});
    ASSERT_TRUE(process);
    EXPECT_TRUE(is_running(*process));
    EXPECT_EQ(stop_it(*process, 5000), Stopped::ended);
    EXPECT_FALSE(is_running(*process));
    EXPECT_EQ(stop_it(*process, 5000), Stopped::gone_before);
}

TEST_F(ProcessTest, IsKilledIfItDoesNotListen) {
    const auto process = start(shell("trap '' TERM; echo ready; while :; do sleep 0.01; done"));
    ASSERT_TRUE(process);
    for (int i = 0; i < 5000 && fs::file_size(log()) == 0; ++i) pause();
    EXPECT_EQ(stop_it(*process, 50), Stopped::killed);
    EXPECT_FALSE(is_running(*process));
}

TEST_F(ProcessTest, IsNotTakenForAnotherWithItsNumber) {
    const ProcessId self = identify(::getpid()).value();
    EXPECT_TRUE(is_running(self));
    ProcessId other = self;
    ++other.start_time;
    EXPECT_FALSE(is_running(other));
    other = self;
    other.boot = "another boot";
    EXPECT_FALSE(is_running(other));
    // And is left alone.
    EXPECT_EQ(stop_it(other, 50), Stopped::gone_before);
    EXPECT_FALSE(identify(0));
    EXPECT_FALSE(identify(-1));
}

TEST_F(ProcessTest, AZombieIsNotRunning) {
    const auto process = start(shell("exit 0"));
    ASSERT_TRUE(process);
    for (int i = 0; i < 5000 && is_running(*process); ++i) pause();  // not reaped here
    EXPECT_FALSE(is_running(*process));
    EXPECT_EQ(::kill(process->pid, 0), 0) << "it should still be there as a zombie";
    EXPECT_EQ(wait_end(*process), "ended with exit status 0");
}

TEST_F(ProcessTest, ItsIdComesBackFromValues) {
    const ProcessId self = identify(::getpid()).value();
    EXPECT_EQ(process_from(to_values(self)), self);
    EXPECT_FALSE(process_from({}));
    EXPECT_FALSE(process_from({{"PID", "-5"}, {"PID_START_TIME", "1"}}));
    EXPECT_FALSE(process_from({{"PID", "x"}, {"PID_START_TIME", "1"}}));
}

TEST_F(ProcessTest, ABuildIsKnownByItsFile) {
    const std::string file = (root_ / "program").string();
    EXPECT_FALSE(build_of(file));
    std::ofstream(file) << "one";
    const std::string first = build_of(file).value();
    EXPECT_EQ(build_of(file).value(), first);
    std::ofstream(file) << "longer";
    EXPECT_NE(build_of(file).value(), first);
    EXPECT_TRUE(fs::exists(own_program().value()));
}

TEST_F(ProcessTest, APortInUseNamesItsHolder) {
    test::BlockingListener listener;
    const std::uint16_t port = listener.port();
    const auto obstacle = port_obstacle(port);
    ASSERT_TRUE(obstacle);
    EXPECT_THAT(*obstacle, HasSubstr("in use"));
    EXPECT_THAT(*obstacle, HasSubstr(std::to_string(::getpid())));
    listener.close();
    EXPECT_EQ(port_obstacle(port), std::nullopt);
}

}  // namespace
}  // namespace spillway::app::stack
