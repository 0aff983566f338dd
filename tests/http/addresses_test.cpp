// Names: one that hangs delays nobody, and what is known is shared and kept.
#include "http/addresses.hpp"

#include <future>

#include "base/task.hpp"
#include "http/support.hpp"

namespace spillway::http::test {
namespace {

/// Names that resolve to loopback, and "hangs", which does not answer until it is let go.
class Names {
public:
    explicit Names(spillway::Loop& io) {
        io.tool<Resolver>().use([this](const std::string& host, std::uint16_t port) {
            ++asked_;
            if (host == "hangs") go_.get_future().wait();
            return Resolver::Answer{{*Endpoint::parse("127.0.0.1", port)}, {}};
        });
    }
    ~Names() { let_go(); }
    Names(const Names&) = delete;
    Names& operator=(const Names&) = delete;
    void let_go() {
        if (!std::exchange(gone_, true)) go_.set_value();
    }
    [[nodiscard]] int asked() const { return asked_.load(); }

private:
    std::promise<void> go_;
    std::atomic<int> asked_{0};
    bool gone_ = false;
};

DialOptions to(const std::string& host, std::uint16_t port, Duration timeout = 5s) {
    DialOptions options;
    options.host = host;
    options.port = port;
    options.connect_timeout = timeout;
    return options;
}

TEST(AddressesTest, ANameThatHangsDelaysNoOther) {
    Loop loop;
    Names names(loop.io);
    Listener listener(loop.io);
    loop.run([&]() -> Task<void> {
        Dialer hanging(loop.io, to("hangs", 1, 300ms));
        Dialer other(loop.io, to("other", listener.port()));
        hanging.look_up();
        const Mono began = mono_now();
        Dial dial;
        const auto made = co_await other.connect(dial);
        EXPECT_TRUE(made);
        EXPECT_LT(mono_now() - began, Duration(250ms));
        Dial in_vain;
        const auto none = co_await hanging.connect(in_vain);
        EXPECT_FALSE(none);
        if (!none) {
            EXPECT_EQ(none.error().kind, NetError::Kind::timeout);
        }
        names.let_go();
    });
}

TEST(AddressesTest, ALookUpAheadIsSharedAndOutlivesAReload) {
    Loop loop;
    Names names(loop.io);
    Listener listener(loop.io);
    loop.run([&]() -> Task<void> {
        auto before = std::make_unique<Dialer>(loop.io, to("other", listener.port()));
        before->look_up();
        EXPECT_TRUE(co_await loop.until([&] { return names.asked() == 1; }));
        Dialer after(loop.io, to("other", listener.port()));
        before.reset();
        Dial dial;
        const auto made = co_await after.connect(dial);
        EXPECT_TRUE(made);
        EXPECT_EQ(names.asked(), 1) << "what was known, or under way, is used";
        Dialer elsewhere(loop.io, to("other", 1));
        elsewhere.look_up();
        EXPECT_TRUE(co_await loop.until([&] { return names.asked() == 2; }));
    });
}

}  // namespace
}  // namespace spillway::http::test
