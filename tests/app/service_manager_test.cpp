#include "app/service_manager.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <string>

namespace spillway::app {
namespace {

/// The other end, as systemd has it: a datagram socket in the abstract namespace.
class Listener {
public:
    Listener()
        : name_("@spillway-test-" + std::to_string(::getpid())), fd_(::socket(AF_UNIX, SOCK_DGRAM, 0)) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::memcpy(address.sun_path, name_.data(), name_.size());
        address.sun_path[0] = '\0';
        const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name_.size());
        EXPECT_EQ(::bind(fd_, reinterpret_cast<const sockaddr*>(&address), length), 0);
    }
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;
    ~Listener() { ::close(fd_); }

    [[nodiscard]] const std::string& name() const { return name_; }
    /// The next message; empty if there is none.
    [[nodiscard]] std::string next() const {
        std::array<char, 256> text{};
        const auto size = ::recv(fd_, text.data(), text.size(), MSG_DONTWAIT);
        return {text.data(), size < 0 ? 0 : static_cast<std::size_t>(size)};
    }

private:
    std::string name_;
    int fd_;
};

TEST(ServiceManager, SaysHowTheServiceIsDoing) {
    const Listener systemd;
    const ServiceManager manager(systemd.name(), std::nullopt);
    manager.ready();
    EXPECT_EQ(systemd.next(), "READY=1");
    manager.reloading();
    EXPECT_THAT(systemd.next(), testing::MatchesRegex("RELOADING=1\nMONOTONIC_USEC=[0-9]+"));
    manager.alive();
    EXPECT_EQ(systemd.next(), "WATCHDOG=1");
    manager.stopping();
    EXPECT_EQ(systemd.next(), "STOPPING=1");
}

TEST(ServiceManager, DoesNothingWhereNobodyListens) {
    ServiceManager("", std::nullopt).ready();
    ServiceManager("/nowhere/notify", std::nullopt).ready();
    ServiceManager(std::string(200, 'x'), std::nullopt).ready();
}

TEST(ServiceManager, TheWatchdogIsFedTwiceInItsTime) {
    ::setenv("WATCHDOG_USEC", "30000000", 1);
    ::unsetenv("WATCHDOG_PID");
    EXPECT_EQ(ServiceManager::of_environment().watchdog(), Duration(std::chrono::seconds(15)));
    ::setenv("WATCHDOG_PID", "1", 1);  // somebody else's
    EXPECT_EQ(ServiceManager::of_environment().watchdog(), std::nullopt);
    ::setenv("WATCHDOG_USEC", "soon", 1);
    ::unsetenv("WATCHDOG_PID");
    EXPECT_EQ(ServiceManager::of_environment().watchdog(), std::nullopt);
    ::unsetenv("WATCHDOG_USEC");
}

}  // namespace
}  // namespace spillway::app
