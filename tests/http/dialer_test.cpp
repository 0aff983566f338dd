#include "http/dialer.hpp"

#include <gtest/gtest.h>
#include <netinet/in.h>

#include <latch>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/loop.hpp"
#include "http/endpoint.hpp"
#include "http/resolver.hpp"

namespace spillway::http {
namespace {

using namespace std::chrono_literals;

/// Listens on a loopback address; with a backlog, connections are made whether or not anybody accepts them.
class Listening {
public:
    explicit Listening(const std::string& address) {
        Endpoint at = *Endpoint::parse(address, 0);
        std::error_code ec;
        socket_ = make_socket(at, ec);
        EXPECT_FALSE(ec);
        EXPECT_EQ(::bind(socket_.get(), at.address(), at.size()), 0);
        EXPECT_EQ(::listen(socket_.get(), 16), 0);
        socklen_t size = Endpoint::capacity();
        EXPECT_EQ(::getsockname(socket_.get(), at.address(), &size), 0);
        port_ = at.port();
    }
    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
    void close() { socket_ = FileDescriptor(); }

private:
    FileDescriptor socket_;
    std::uint16_t port_ = 0;
};

class DialerTest : public testing::Test {
protected:
    void resolve_to(std::vector<std::string> addresses) {
        loop_.tool<Resolver>().use([addresses](const std::string&, std::uint16_t port) {
            Resolver::Answer out;
            for (const auto& address : addresses) out.endpoints.push_back(*Endpoint::parse(address, port));
            if (addresses.empty()) out.problem = "as the test wants it";
            return out;
        });
    }
    DialOptions options(std::uint16_t port, Duration timeout = 5s) {
        DialOptions out;
        out.host = "backend.example";
        out.port = port;
        out.connect_timeout = timeout;
        return out;
    }
    /// The peer's address, or the error.
    NetResult<std::string> connect(Dialer& dialer, Dial& dial) {
        std::optional<NetResult<std::string>> out;
        loop_.restart();
        loop_.spawn([&]() -> Task<> {
            const auto made = co_await dialer.connect(dial);
            if (!made) {
                out.emplace(made.error());
            } else {
                Endpoint peer;
                socklen_t size = Endpoint::capacity();
                EXPECT_EQ(::getpeername((*made)->fd(), peer.address(), &size), 0);
                peer.resize(size);
                out.emplace(peer.to_string());
            }
            loop_.stop();
        });
        loop_.run_for(10s);
        EXPECT_TRUE(out) << "it does not end";
        return out.value_or(NetError{});
    }
    NetResult<std::string> connect(Dialer& dialer) {
        Dial dial;
        return connect(dialer, dial);
    }

    Loop loop_;
};

TEST_F(DialerTest, ConnectsToWhatANameStandsFor) {
    const Listening peer("127.0.0.1");
    resolve_to({"127.0.0.1"});
    Dialer dialer(loop_, options(peer.port()));
    const auto got = connect(dialer);
    ASSERT_TRUE(got) << got.error().message;
    EXPECT_EQ(*got, "127.0.0.1:" + std::to_string(peer.port()));
}

TEST_F(DialerTest, TriesTheNextAddressAtOnceWhereOneRefuses) {
    const Listening peer("127.0.0.2");
    resolve_to({"127.0.0.1", "127.0.0.2"});
    Dialer dialer(loop_, options(peer.port()));
    const Mono begin = mono_now();
    const auto got = connect(dialer);
    ASSERT_TRUE(got) << got.error().message;
    EXPECT_EQ(*got, "127.0.0.2:" + std::to_string(peer.port()));
    EXPECT_LT(mono_now() - begin, 240ms) << "without the delay between attempts";
}

TEST_F(DialerTest, SaysWhyItCannotConnect) {
    Listening peer("127.0.0.1");
    const std::uint16_t port = peer.port();
    peer.close();
    resolve_to({"127.0.0.1"});
    Dialer dialer(loop_, options(port));
    const auto got = connect(dialer);
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().kind, NetError::Kind::connect);
    EXPECT_NE(got.error().message.find("cannot connect to backend.example:"), std::string::npos);
}

TEST_F(DialerTest, SaysThatANameIsUnknown) {
    resolve_to({});
    Dialer dialer(loop_, options(80));
    const auto got = connect(dialer);
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().kind, NetError::Kind::resolve);
    EXPECT_EQ(got.error().message, "cannot resolve backend.example: as the test wants it");
}

TEST_F(DialerTest, ATimeoutEndsALookUpThatHangs) {
    // The look-up's thread may wait for it longer than this test lives.
    const auto release = std::make_shared<std::latch>(1);
    loop_.tool<Resolver>().use([release](const std::string&, std::uint16_t) {
        release->wait();
        return Resolver::Answer{};
    });
    Dialer dialer(loop_, options(80, 50ms));
    const auto got = connect(dialer);
    release->count_down();
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().kind, NetError::Kind::timeout);
}

TEST_F(DialerTest, MayBeEndedWhileItWaitsAndBefore) {
    // The look-up's thread may wait for it longer than this test lives.
    const auto release = std::make_shared<std::latch>(1);
    loop_.tool<Resolver>().use([release](const std::string&, std::uint16_t) {
        release->wait();
        return Resolver::Answer{};
    });
    Dialer dialer(loop_, options(80));
    Dial dial;
    loop_.post([&] { loop_.post([&] { dial.cancel(); }); });
    const auto waiting = connect(dialer, dial);
    release->count_down();
    ASSERT_FALSE(waiting);
    EXPECT_EQ(waiting.error().kind, NetError::Kind::cancelled);
    const auto after = connect(dialer, dial);
    ASSERT_FALSE(after);
    EXPECT_EQ(after.error().kind, NetError::Kind::cancelled);
}

TEST_F(DialerTest, APeerThatSpeaksNoTlsIsATlsError) {
    const Listening peer("127.0.0.1");
    resolve_to({"127.0.0.1"});
    DialOptions tls = options(peer.port(), 100ms);
    tls.tls = true;
    Dialer dialer(loop_, tls);
    const auto got = connect(dialer);
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().kind, NetError::Kind::timeout) << "it never answers the handshake";
}

}  // namespace
}  // namespace spillway::http
