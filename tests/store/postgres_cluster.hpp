#pragma once
/// Debian's PostgreSQL, a cluster of its own in a temporary folder on a free port of 127.0.0.1. As root its
/// processes are those of the user `postgres`, since the server refuses root.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "blocking.hpp"
#include "store/postgres_connection.hpp"

namespace spillway::store {

/// Where initdb and postgres are; empty: not here.
inline std::filesystem::path postgres_programs() {
    std::error_code none;
    for (const auto& version : std::filesystem::directory_iterator("/usr/lib/postgresql", none))
        if (std::filesystem::exists(version.path() / "bin" / "initdb")) return version.path() / "bin";
    return {};
}

class PostgresCluster {
public:
    static constexpr const char* kPassword = "pg-password-81c0";

    PostgresCluster() : port_(test::free_port()) {
        std::string name = (std::filesystem::temp_directory_path() / "spillway-pg-XXXXXX").string();
        folder_ = ::mkdtemp(name.data());
        std::ofstream(folder_ / "password") << kPassword << '\n';
        if (::geteuid() == 0) {
            const passwd* const user = ::getpwnam("postgres");
            if (user == nullptr) throw std::runtime_error("there is no user postgres");
            uid_ = user->pw_uid;
            gid_ = user->pw_gid;
            for (const auto& path : {folder_, folder_ / "password"})
                if (::chown(path.c_str(), uid_, gid_) != 0) throw std::runtime_error("chown");
        }
        const pid_t made =
            run({"initdb", "-D", data(), "-U", "spillway", "-E", "UTF8", "--locale=C", "--no-sync",
                 "--auth=scram-sha-256", "--pwfile=" + (folder_ / "password").string()});
        int status = 1;
        if (::waitpid(made, &status, 0) < 0 || status != 0) throw std::runtime_error("initdb failed");
        start();
    }
    PostgresCluster(const PostgresCluster&) = delete;
    PostgresCluster& operator=(const PostgresCluster&) = delete;
    ~PostgresCluster() {
        stop();
        std::error_code ignored;
        std::filesystem::remove_all(folder_, ignored);
    }

    /// One for all tests of the process.
    static PostgresCluster& shared() {
        static PostgresCluster cluster;
        return cluster;
    }

    void start() {
        pid_ = run({"postgres", "-D", data(), "-k", folder_.string(), "-p", std::to_string(port_), "-c",
                    "listen_addresses=127.0.0.1", "-c", "fsync=off", "-c", "max_connections=40"});
        const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
        while (PQping(url().c_str()) != PQPING_OK) {
            if (std::chrono::steady_clock::now() > end) throw std::runtime_error("postgres does not start");
            std::this_thread::sleep_for(std::chrono::milliseconds(20));
        }
    }
    /// At once: connections are cut.
    void stop() {
        if (pid_ <= 0) return;
        ::kill(pid_, SIGQUIT);
        ::waitpid(pid_, nullptr, 0);
        pid_ = 0;
    }
    [[nodiscard]] std::string url(const std::string& parameters = {}) const {
        return std::string("postgresql://spillway:") + kPassword + "@127.0.0.1:" + std::to_string(port_) +
               "/postgres" + parameters;
    }
    /// As the tests' own, beside the stores.
    PostgresRows ask(const char* sql) const {
        PostgresConnection connection(std::make_shared<PostgresServer>(config::Secret(url())));
        auto rows = connection.ask(sql);
        EXPECT_TRUE(rows) << rows.error().message;
        return std::move(rows).value();
    }
    /// Without tables.
    void clear() const {
        static_cast<void>(ask("DROP SCHEMA public CASCADE"));
        static_cast<void>(ask("CREATE SCHEMA public"));
    }

private:
    [[nodiscard]] std::string data() const { return (folder_ / "data").string(); }

    pid_t run(std::vector<std::string> words) const {
        words.front() = postgres_programs() / words.front();  // each looks for the others beside itself
        std::vector<char*> arguments;
        for (auto& word : words) arguments.push_back(word.data());
        arguments.push_back(nullptr);
        const std::string log = folder_ / "log";
        const pid_t pid = ::fork();
        if (pid != 0) return pid;
        if (uid_ != 0 && (::setgid(gid_) != 0 || ::setuid(uid_) != 0)) ::_exit(126);
        ::prctl(PR_SET_PDEATHSIG, SIGQUIT);  // it does not outlive a test that crashes
        if (::chdir(folder_.c_str()) != 0) ::_exit(126);
        const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
        ::dup2(out, STDOUT_FILENO);
        ::dup2(out, STDERR_FILENO);
        ::execv(arguments.front(), arguments.data());
        ::_exit(127);
    }

    std::uint16_t port_;
    std::filesystem::path folder_;
    uid_t uid_ = 0;
    gid_t gid_ = 0;
    pid_t pid_ = 0;
};

/// Whether tests of PostgreSQL have to be left out; in CI they may not.
inline bool no_postgres() {
    return postgres_programs().empty() && std::getenv("CI") == nullptr;
}
#define NEEDS_POSTGRES \
    if (no_postgres()) GTEST_SKIP() << "postgresql is not installed"

}  // namespace spillway::store
