/// A change that fails half-way: what ran before must run again. The services are shell scripts; their health
/// ports are answered by the test, once the recorded process has said that it is ready.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "app/stack_runner.hpp"
#include "blocking.hpp"

namespace spillway::app::stack {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

/// Answers GET /emulator with 200 if the file emulator.ready names the process of emulator.pid, else with
/// 503.
class HealthServer {
public:
    explicit HealthServer(Folder folder) : folder_(std::move(folder)), thread_([this] { serve(); }) {}
    HealthServer(const HealthServer&) = delete;
    HealthServer& operator=(const HealthServer&) = delete;
    ~HealthServer() {
        ended_ = true;
        const test::BlockingSocket last(port());
        thread_.join();
    }
    [[nodiscard]] std::uint16_t port() const { return listener_.port(); }

private:
    void serve() {
        while (!ended_) {
            const test::BlockingSocket socket = listener_.accept();
            std::string request;
            if (!socket.is_open() || ended_) continue;
            while (request.find("\r\n\r\n") == std::string::npos) {
                const std::string piece = socket.read_some();
                if (piece.empty()) break;
                request += piece;
            }
            const std::size_t begin = request.find('/') + 1;
            const bool good = ready(request.substr(begin, request.find(' ', begin) - begin));
            const std::string answer =
                std::string("HTTP/1.1 ") + (good ? "200 OK" : "503 No") + "\r\ncontent-length: 0\r\n\r\n";
            socket.write(answer);
        }
    }
    [[nodiscard]] bool ready(const std::string& service) const {
        const auto record = folder_.read_values(service + ".pid").value();
        const auto said = folder_.read(service + ".ready").value();
        return record && said && record->at("PID") + "\n" == *said;
    }

    Folder folder_;
    test::BlockingListener listener_;
    std::atomic<bool> ended_{false};
    std::thread thread_;
};

class RollbackTest : public testing::Test {
protected:
    RollbackTest() {
        const std::string path = folder_.file("program");
        std::ofstream(path) << "#!/bin/sh\n"
                               "for config; do :; done  # the last argument\n"
                               "if grep -q bad \"$config\"; then echo no good; exit 3; fi\n"
                               "name=$(basename \"$config\")\n"
                               "echo $$ > new.$$; mv new.$$ \"${name%.*}.ready\"\n"
                               "exec sleep 1000\n";
        fs::permissions(path, fs::perms::owner_all);
    }
    ~RollbackTest() override {
        static_cast<void>(runner().stop_all());
        std::error_code ec;
        fs::remove_all(folder_.path(), ec);
    }
    static Folder make_folder() {
        std::string name = (fs::temp_directory_path() / "spillway-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
        return Folder(name);
    }
    Runner runner() {
        return Runner(folder_, folder_.file("program"), Limits{}, [this](std::string_view line) {
            said_ += line;
            said_ += '\n';
        });
    }
    std::vector<Service> services(const std::string& config) const {
        Settings settings;
        settings.api_key = config::Secret("client-key");
        auto out = services_for(settings, {folder_.path().string(), "build", "resource-key"});
        for (Service& service : out) {
            service.health_port = health_.port();
            service.health_path = "/" + service.name;
            service.config_text = config;
            service.spec.config_digest = config;
            for (NamedPort& port : service.spec.ports) port.number = health_.port();
        }
        return out;
    }
    Result<void> apply(const std::vector<Service>& wanted) {
        auto one = runner();
        const auto observed = one.observe(wanted);
        std::vector<Step> steps;
        for (std::size_t i = 0; i < wanted.size(); ++i)
            steps.push_back(plan_step(wanted[i].spec, observed[i]));
        return one.apply(wanted, steps);
    }
    std::string config_of(std::string_view service) const {
        return folder_.read(std::string(service) + ".yaml").value().value_or("");
    }
    Folder folder_ = make_folder();
    HealthServer health_{folder_};
    std::string said_;
};

TEST_F(RollbackTest, BringsBackWhatRanBefore) {
    const auto good = services("good");
    ASSERT_TRUE(apply(good));
    auto next = services("better");
    next[1].config_text = next[1].spec.config_digest = "bad";

    const auto done = apply(next);
    ASSERT_FALSE(done.has_value());
    EXPECT_THAT(done.error().message, HasSubstr("the gateway ended with exit status 3"));
    EXPECT_THAT(done.error().message, HasSubstr("no good"));

    EXPECT_EQ(config_of("emulator"), "good");
    EXPECT_EQ(config_of("gateway"), "good");
    const auto one = runner();
    for (const Observed& now : one.observe(good)) {
        EXPECT_TRUE(now.running) << said_;
        EXPECT_TRUE(now.answers);
    }
    EXPECT_EQ(one.observe(good)[0].record, good[0].spec);
    EXPECT_EQ(one.observe(good)[1].record, good[1].spec);
}

TEST_F(RollbackTest, StopsWhatDidNotRunBefore) {
    auto wanted = services("good");
    wanted[1].config_text = wanted[1].spec.config_digest = "bad";
    ASSERT_FALSE(apply(wanted).has_value());
    const auto one = runner();
    for (const Observed& now : one.observe(wanted)) EXPECT_FALSE(now.running) << said_;
    EXPECT_FALSE(fs::exists(folder_.file("emulator.pid")));
}

TEST_F(RollbackTest, LeavesAloneWhatIsKept) {
    ASSERT_TRUE(apply(services("good")));
    auto next = services("good");
    next[1].config_text = next[1].spec.config_digest = "bad";
    const std::string emulator = folder_.read("emulator.pid").value().value();
    ASSERT_FALSE(apply(next).has_value());
    EXPECT_EQ(folder_.read("emulator.pid").value().value(), emulator);
}

TEST_F(RollbackTest, SaysIfTheOldOneDoesNotComeBack) {
    ASSERT_TRUE(apply(services("good")));
    std::ofstream(folder_.file("program")) << "#!/bin/sh\nexit 4\n";
    ASSERT_FALSE(apply(services("better")).has_value());
    EXPECT_THAT(said_, HasSubstr("not back: the emulator ended with exit status 4"));
}

}  // namespace
}  // namespace spillway::app::stack
