// Sockets that a process is started with, and the line to the one before it.
#include "app/inherited_sockets.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>

#include "app/successor.hpp"
#include "base/loop.hpp"
#include "http/acceptor.hpp"

namespace spillway::app {
namespace {

std::vector<FileDescriptor> listeners(const char* host, std::size_t count) {
    auto out = http::open_listeners({host, 0}, count);
    EXPECT_TRUE(out) << out.error().message;
    return std::move(*out);
}
std::uint16_t port_of(const FileDescriptor& socket) {
    return http::listens_at(socket.get())->port();
}

TEST(InheritedSockets, AreTakenByAddress) {
    std::vector<FileDescriptor> all = listeners("127.0.0.1", 2);
    const std::uint16_t data = port_of(all.front());
    const std::uint16_t admin = port_of(all.emplace_back(std::move(listeners("127.0.0.1", 1).front())));
    const std::uint16_t wide = port_of(all.emplace_back(std::move(listeners("0.0.0.0", 1).front())));
    InheritedSockets sockets(std::move(all));
    EXPECT_EQ(sockets.left().size(), 4U);
    EXPECT_TRUE(sockets.extract({"127.0.0.1", 0}).empty()) << "any free port is a new one";
    EXPECT_TRUE(sockets.extract({"127.0.0.1", wide}).empty()) << "another address";
    EXPECT_EQ(sockets.extract({"127.0.0.1", data}).size(), 2U);
    EXPECT_TRUE(sockets.extract({"127.0.0.1", data}).empty());
    EXPECT_EQ(sockets.extract({"localhost", admin}).size(), 1U);
    EXPECT_EQ(sockets.extract({"::", wide}).size(), 1U) << "both are any address";
    EXPECT_TRUE(sockets.left().empty());
}

TEST(InheritedSockets, WithoutAnyTheEnvironmentIsLeftClean) {
    ::setenv("LISTEN_PID", "1", 1);
    ::setenv("LISTEN_FDS", "3", 1);
    InheritedSockets sockets = InheritedSockets::of_environment();
    EXPECT_TRUE(sockets.left().empty()) << "they are for another process";
    for (const char* name : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", kSocketsVariable})
        EXPECT_EQ(std::getenv(name), nullptr) << name;
}

bool serves(Successor& successor, const std::string& learned = {}) {
    Loop loop;
    bool out = false;
    loop.spawn(
        [&]() -> Task<void> { out = co_await successor.serves(loop, std::chrono::seconds(5), learned); });
    loop.run_for(std::chrono::seconds(6));
    return out;
}

Program shell(const std::string& script) {
    return {"/bin/sh", {"sh", "-c", script}};
}

TEST(Successor, GetsTheSocketsAndWhatWasLearned) {
    const auto sockets = listeners("127.0.0.1", 1);
    const int socket = sockets.front().get();
    // Descriptor 3 is the socket, 4 the line; nothing else is open.
    const std::string script =
        "test \"$SPILLWAY_LISTEN_FDS $SPILLWAY_PREDECESSOR_FD\" = '1 4' && test -S /proc/self/fd/3 && "
        "test ! -e /proc/self/fd/5 && read -r line <&4 && test \"$line\" = 'some words' && printf s >&4";
    auto successor = Successor::start(shell(script), {&socket, 1});
    ASSERT_TRUE(successor) << successor.error().message;
    EXPECT_GT(successor->pid(), 0);
    EXPECT_TRUE(serves(*successor, "some words\n"));
}

TEST(Successor, OneThatEndsOrCannotStartIsSeen) {
    auto ended = Successor::start(shell("exit 3"), {});
    ASSERT_TRUE(ended);
    EXPECT_FALSE(serves(*ended));
    EXPECT_FALSE(Successor::start({"/no/such/program", {"x"}}, {}));
}

TEST(Predecessor, IsNoneByDefault) {
    ::unsetenv(kPredecessorVariable);
    Predecessor none = Predecessor::of_environment();
    EXPECT_EQ(none.learned(), "");
    none.tell_served();
}

}  // namespace
}  // namespace spillway::app
