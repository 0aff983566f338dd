#pragma once
/// Debian's redis-server, started on a free port: what a script does on a real server is what matters.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "blocking.hpp"
#include "config/quota.hpp"

namespace spillway::quota {

using namespace std::chrono_literals;

using test::free_port;

inline bool listens(std::uint16_t port) {
    return test::BlockingSocket(port).is_open();
}

template <class Condition>
bool soon(Condition condition, Duration within = 5s) {
    const Mono end = mono_now() + within;
    while (!condition()) {
        if (mono_now() > end) return false;
        std::this_thread::sleep_for(5ms);
    }
    return true;
}

class RedisServer {
public:
    /// `sentinel`: the configuration file of a sentinel, which it is then.
    explicit RedisServer(std::vector<std::string> options = {}, std::string sentinel = {})
        : port_(free_port()), options_(std::move(options)), sentinel_(std::move(sentinel)) {
        start();
    }
    RedisServer(const RedisServer&) = delete;
    RedisServer& operator=(const RedisServer&) = delete;
    ~RedisServer() { stop(); }

    void start() {
        std::vector<std::string> words{"redis-server"};
        if (!sentinel_.empty()) words.insert(words.end(), {sentinel_, "--sentinel"});
        words.insert(words.end(), {"--bind", "127.0.0.1", "--loglevel", "warning"});
        if (sentinel_.empty())
            words.insert(words.end(), {"--save", "", "--appendonly", "no", "--dir", testing::TempDir()});
        if (options_.empty() || options_.front() != "--tls-port")
            words.insert(words.end(), {"--port", std::to_string(port_)});
        else
            words.insert(words.end(), {"--port", "0", "--tls-port", std::to_string(port_)});
        for (std::size_t i = options_.empty() || options_.front() != "--tls-port" ? 0 : 1;
             i < options_.size(); ++i)
            words.push_back(options_[i]);
        std::vector<char*> arguments;
        for (auto& word : words) arguments.push_back(word.data());
        arguments.push_back(nullptr);
        pid_ = ::fork();
        if (pid_ == 0) {
            const int nowhere = ::open("/dev/null", O_WRONLY);
            ::dup2(nowhere, STDOUT_FILENO);
            ::execvp("redis-server", arguments.data());
            ::_exit(127);
        }
        ASSERT_TRUE(soon([this] { return listens(port_); })) << "redis-server does not start";
    }
    void stop() {
        if (pid_ <= 0) return;
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
        pid_ = 0;
    }
    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
    [[nodiscard]] config::RedisConfig config() const {
        config::RedisConfig c;
        c.host = "127.0.0.1";
        c.port = port_;
        c.interval = 10ms;
        c.timeout = 300ms;
        return c;
    }

private:
    std::uint16_t port_;
    std::vector<std::string> options_;
    std::string sentinel_;
    pid_t pid_ = 0;
};

inline bool no_server() {
    return std::system("command -v redis-server >/dev/null") != 0;
}
#define NEEDS_REDIS \
    if (no_server()) GTEST_SKIP() << "redis-server is not installed"

}  // namespace spillway::quota
