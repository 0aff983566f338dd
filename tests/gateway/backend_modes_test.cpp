#include "gateway/backend_modes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/sinks/ostream_sink.h>

#include <sstream>

#include "snapshot_of.hpp"

namespace spillway::gateway {
namespace {

using routing::Mode;
using testing::HasSubstr;
using testing::IsEmpty;

class Modes : public testing::Test {
protected:
    Modes() { modes_.use(snapshot_ = with({"one", "two"})); }

    std::shared_ptr<const Snapshot> with(const std::vector<std::string>& backends) {
        std::string text = "clients: [{name: a, key: key-of-a-0123456789}]\nbackends:\n";
        for (const std::string& name : backends)
            text += "  - {name: " + name + ", url: \"http://127.0.0.1:1\", api_key: k-0123456789}\n";
        return snapshot_of(text, quotas_, keepers_, objects_);
    }
    static store::ModeRow row(const std::string& backend, const std::string& mode) {
        return {backend, mode, "ada", Wall(std::chrono::seconds(1'790'000'000))};
    }
    void follow(const store::ModeRow& one) { modes_.follow({&one, 1}); }
    Mode mode(std::size_t backend) { return snapshot_->router->view(mono_now()).at(backend).mode; }
    std::string said() {
        std::string out = lines_.str();
        lines_.str({});
        return out;
    }

    quota::ClientQuotas quotas_;
    identity::Keepers keepers_{[](bool, const std::string&) {}};
    store::ObjectDirectory objects_;
    std::ostringstream lines_;
    std::shared_ptr<const Snapshot> snapshot_;
    BackendModes modes_{std::make_shared<telemetry::Logger>(
        "test", std::make_shared<spdlog::sinks::ostream_sink_mt>(lines_))};
};

TEST_F(Modes, AnOperatorsWordIsInUseAtOnce) {
    EXPECT_EQ(modes_.tell(row("two", "draining")), Mode::on);
    EXPECT_EQ(mode(1), Mode::draining);
    EXPECT_EQ(modes_.tell(row("two", "off")), Mode::draining);
    EXPECT_EQ(mode(1), Mode::off);
    EXPECT_EQ(mode(0), Mode::on);
    EXPECT_FALSE(modes_.tell(row("three", "off")));
    EXPECT_FALSE(modes_.tell(row("three", "on")));
    EXPECT_THAT(said(), IsEmpty()) << "the audit line says it";
}

TEST_F(Modes, WhatTheStoreSaysIsFollowedWithOneLine) {
    follow(row("one", "draining"));
    EXPECT_EQ(mode(0), Mode::draining);
    EXPECT_THAT(
        said(),
        HasSubstr("backend 'one' is draining: set by ada at 2026-09-21T14:13:20Z, as the store says"));
    follow(row("one", "draining"));
    EXPECT_THAT(said(), IsEmpty());
    follow(row("one", "on"));
    EXPECT_EQ(mode(0), Mode::on);
    EXPECT_THAT(said(), HasSubstr("backend 'one' is on: set by ada"));
}

TEST_F(Modes, OnesOwnWordComesBackFromTheStoreInSilence) {
    modes_.tell(row("one", "off"));
    follow(row("one", "off"));
    EXPECT_EQ(mode(0), Mode::off);
    EXPECT_THAT(said(), IsEmpty());
}

TEST_F(Modes, AWordThatTheStoreDoesNotKnowHoldsUntilItHasALaterOne) {
    modes_.tell(row("one", "off"));
    follow(row("two", "draining"));
    EXPECT_EQ(mode(0), Mode::off);
    follow(row("one", "on"));
    EXPECT_EQ(mode(0), Mode::on);
}

TEST_F(Modes, ABackendThatIsConfiguredAgainIsAsItWasLeft) {
    modes_.tell(row("two", "off"));
    modes_.use(snapshot_ = with({"one"}));
    EXPECT_THAT(said(), IsEmpty());
    modes_.use(snapshot_ = with({"one", "two"}));
    EXPECT_EQ(mode(0), Mode::on);
    EXPECT_EQ(mode(1), Mode::off);
    EXPECT_THAT(said(), HasSubstr("backend 'two' is off: set by ada"));
}

TEST_F(Modes, OneThatIsNotConfiguredCanBeForgotten) {
    follow(row("three", "off"));
    EXPECT_THAT(said(), HasSubstr("backend 'three' is not configured here; the store keeps that it is off"));
    EXPECT_FALSE(modes_.tell(row("three", "draining"))) << "nothing else can be said of it";
    EXPECT_EQ(modes_.tell(row("three", "on")), Mode::off);
    modes_.use(snapshot_ = with({"one", "two", "three"}));
    EXPECT_EQ(mode(2), Mode::on);
}

TEST_F(Modes, AModeThatIsNotKnownChangesNothing) {
    follow(row("one", "off"));
    follow(row("one", "resting"));
    EXPECT_EQ(mode(0), Mode::off);
    EXPECT_THAT(said(), HasSubstr("the store's mode 'resting' (set by ada"));
    EXPECT_FALSE(modes_.tell(row("one", "resting")));
}

}  // namespace
}  // namespace spillway::gateway
