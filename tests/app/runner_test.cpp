/// What goes wrong at a start, with a shell script in place of the program. The good ways are tested end to
/// end.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "app/stack_runner.hpp"

namespace spillway::app::stack {
namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::HasSubstr;

class RunnerTest : public testing::Test {
protected:
    RunnerTest() : folder_(make_folder()) {
        Settings settings;
        settings.emulator_admin_port = settings.admin_port = 1;  // nobody answers there
        settings.api_key = config::Secret("client-key");
        services_ = services_for(settings, {folder_.path().string(), "build", "resource-key"});
    }
    ~RunnerTest() override {
        std::error_code ec;
        fs::remove_all(folder_.path(), ec);
    }
    static Folder make_folder() {
        std::string name = (fs::temp_directory_path() / "spillway-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
        return Folder(name);
    }
    std::string program(const std::string& script) {
        const std::string path = folder_.file("program");
        std::ofstream(path) << "#!/bin/sh\n" << script << "\n";
        fs::permissions(path, fs::perms::owner_all);
        return path;
    }
    Result<void> up(const std::string& script, Limits limits) {
        Runner runner(folder_, program(script), limits, [this](std::string_view line) { said_ += line; });
        std::vector<Step> steps;
        const auto observed = runner.observe(services_);
        for (std::size_t i = 0; i < services_.size(); ++i)
            steps.push_back(plan_step(services_[i].spec, observed[i]));
        return runner.apply(services_, steps);
    }
    Folder folder_;
    std::vector<Service> services_;
    std::string said_;
};

constexpr Limits patient{std::chrono::seconds(20), std::chrono::seconds(5)};

TEST_F(RunnerTest, ShowsTheLogOfWhatDiesAtItsStart) {
    const auto done = up("echo \"$1: cannot listen\"; exit 3", patient);
    ASSERT_FALSE(done.has_value());
    EXPECT_THAT(done.error().message, HasSubstr("the emulator ended with exit status 3"));
    EXPECT_THAT(done.error().message, HasSubstr("emulate: cannot listen"));
    EXPECT_FALSE(fs::exists(folder_.file("emulator.pid")));
    EXPECT_FALSE(fs::exists(folder_.file("gateway.yaml"))) << "the second must not be begun";
}

TEST_F(RunnerTest, StopsWhatNeverAnswers) {
    const auto done =
        up("echo $$ > pid; exec sleep 1000", {std::chrono::milliseconds(300), std::chrono::seconds(5)});
    ASSERT_FALSE(done.has_value());
    EXPECT_THAT(done.error().message, HasSubstr("does not answer on port 1"));
    int pid = 0;
    std::ifstream(folder_.file("pid")) >> pid;
    EXPECT_GT(pid, 0);
    EXPECT_FALSE(identify(pid)) << "it should be stopped and reaped";
}

TEST_F(RunnerTest, AnInterruptUndoesWhatWasBegun) {
    const auto done = up("echo $$ > pid; kill -INT $PPID; exec sleep 1000", patient);
    ASSERT_FALSE(done.has_value());
    EXPECT_EQ(done.error().message, "interrupted");
    int pid = 0;
    std::ifstream(folder_.file("pid")) >> pid;
    EXPECT_FALSE(identify(pid));
    EXPECT_FALSE(fs::exists(folder_.file("emulator.pid")));
}

TEST_F(RunnerTest, AStaleRecordIsNoProcess) {
    ProcessId self = identify(::getpid()).value();
    self.start_time += 1;  // as if the number had been given anew
    Values values = to_values(self);
    values.merge(to_values(services_[0].spec));
    ASSERT_TRUE(folder_.write("emulator.pid", format_values(values)));
    Runner runner(folder_, "/bin/false", patient, [this](std::string_view line) { said_ += line; });
    const auto observed = runner.observe(services_);
    EXPECT_FALSE(observed[0].running);
    EXPECT_EQ(observed[0].record, services_[0].spec);
    ASSERT_TRUE(runner.stop_all());
    EXPECT_THAT(said_, HasSubstr("nothing is running"));
    EXPECT_FALSE(fs::exists(folder_.file("emulator.pid")));
}

TEST_F(RunnerTest, KeepsTheLastRunsLog) {
    ASSERT_FALSE(up("echo first; exit 1", patient).has_value());
    ASSERT_FALSE(up("echo second; exit 1", patient).has_value());
    EXPECT_EQ(folder_.read("emulator.log").value(), "second\n");
    EXPECT_EQ(folder_.read("emulator.log.1").value(), "first\n");
}

}  // namespace
}  // namespace spillway::app::stack
