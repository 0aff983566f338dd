#include "gateway/stream_machine.hpp"

#include <gtest/gtest.h>

namespace spillway::gateway {
namespace {

using routing::Reason;

constexpr std::string_view kRole =
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\n\n";
constexpr std::string_view kText =
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"hel\"},\"finish_reason\":null}]}\n\n";
constexpr std::string_view kStop =
    "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
constexpr std::string_view kUsage =
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":2,\"total_tokens\":9}}\n\n";
constexpr std::string_view kDone = "data: [DONE]\n\n";

/// A machine, and what a client would have read of it.
struct Stream {
    explicit Stream(StreamRules rules = {})
        : machine(rules, api::dialect(config::BackendKind::azure), classifier, affinity, 3) {}

    StreamAction feed(std::string_view chunk) { return note(machine.feed(chunk)); }
    StreamAction end() { return note(machine.end()); }
    StreamAction broke(Break why) { return note(machine.broke(why)); }
    StreamAction note(StreamAction action) {
        if (machine.committed())
            for (const auto piece : machine.pieces()) read += piece;
        machine.sent();
        return action;
    }

    api::EventClassifier classifier;
    SessionAffinity affinity{64};
    StreamMachine machine;
    std::string read;
};

std::string joined(std::initializer_list<std::string_view> parts) {
    std::string out;
    for (const auto p : parts) out += p;
    return out;
}

TEST(StreamMachine, HoldsThePreambleUntilTheFirstOutput) {
    Stream s;
    EXPECT_EQ(s.feed(kRole), StreamAction::proceed);
    EXPECT_FALSE(s.machine.committed());
    EXPECT_EQ(s.read, "");
    EXPECT_EQ(s.feed(kText), StreamAction::proceed);
    EXPECT_TRUE(s.machine.committed());
    EXPECT_EQ(s.read, joined({kRole, kText}));
}

TEST(StreamMachine, PassesEveryByteHoweverItIsCut) {
    const std::string whole = joined({kRole, kText, kText, kStop, kUsage, kDone});
    for (std::size_t cut = 1; cut < 40; ++cut) {
        Stream s;
        for (std::size_t at = 0; at < whole.size(); at += cut)
            ASSERT_EQ(s.feed(std::string_view(whole).substr(at, cut)), StreamAction::proceed);
        EXPECT_EQ(s.end(), StreamAction::finish);
        EXPECT_EQ(s.read, whole) << cut;
        EXPECT_EQ(s.machine.result().ending, Ending::ok);
        EXPECT_EQ(s.machine.result().verdict.reason, Reason::none);
    }
}

TEST(StreamMachine, AnErrorObjectWithoutAnEventIsAnError) {
    for (const std::string_view end : {"", "\n", "\n\n"}) {
        Stream s;
        const std::string mistake = R"({"error":{"message":"too long","code":"context_length_exceeded"}})";
        EXPECT_EQ(s.feed(mistake + std::string(end)), StreamAction::proceed);
        EXPECT_EQ(s.end(), StreamAction::finish);
        EXPECT_EQ(s.read, "data: " + mistake + "\n\n");
        EXPECT_EQ(s.machine.result().verdict.whose, routing::Whose::client);
        Stream failure;
        (void)failure.feed(R"({"error":{"message":"sorry","type":"server_error"}})" + std::string(end));
        EXPECT_EQ(failure.end(), StreamAction::retry);
        EXPECT_EQ(failure.machine.result().verdict.reason, Reason::server_error);
    }
    Stream other;
    (void)other.feed("no event\n\n");
    EXPECT_EQ(other.end(), StreamAction::retry);
    EXPECT_EQ(other.machine.result().verdict.reason, Reason::broken);
}

TEST(StreamMachine, CommitsAtOnceIfItIsTold) {
    Stream s({.late_commit = false});
    EXPECT_TRUE(s.machine.committed());
    (void)s.feed(kRole);
    EXPECT_EQ(s.read, kRole);
}

TEST(StreamMachine, CommitsWhenThePreambleGrowsTooLong) {
    Stream s({.max_preamble_bytes = kRole.size()});
    (void)s.feed(kRole);
    EXPECT_FALSE(s.machine.committed());
    (void)s.feed(kRole);
    EXPECT_EQ(s.read, joined({kRole, kRole}));
}

TEST(StreamMachine, HidesTheUsageChunkThatWasNotAskedFor) {
    for (const bool hide : {true, false}) {
        Stream s({.hide_usage = hide});
        for (const auto part : {kText, kStop, kUsage, kDone}) (void)s.feed(part);
        EXPECT_EQ(s.end(), StreamAction::finish);
        EXPECT_EQ(s.read.find("usage") == std::string::npos, hide);
        ASSERT_TRUE(s.machine.result().usage);
        EXPECT_EQ(s.machine.result().usage->total, 9U);
        EXPECT_EQ(s.machine.result().output_events, 2U);
    }
}

TEST(StreamMachine, RetriesElsewhereWhatBreaksBeforeTheFirstOutput) {
    for (const Break why : {Break::cut, Break::silence, Break::shutdown}) {
        Stream s;
        (void)s.feed(kRole);
        EXPECT_EQ(s.broke(why), StreamAction::retry);
        EXPECT_EQ(s.read, "");
    }
    Stream ended;
    (void)ended.feed(kRole);
    EXPECT_EQ(ended.end(), StreamAction::retry);
    EXPECT_EQ(ended.machine.result().verdict.reason, Reason::broken);
    Stream error;
    EXPECT_EQ(error.feed("data: {\"error\":{\"code\":\"server_error\",\"message\":\"x\"}}\n\n"),
              StreamAction::retry);
    EXPECT_EQ(error.machine.result().verdict.reason, Reason::server_error);
}

TEST(StreamMachine, KeepsTheWordsOfAnErrorThatIsTriedElsewhere) {
    Stream s;
    (void)s.feed(kRole);
    EXPECT_EQ(s.machine.error(), "");
    EXPECT_EQ(
        s.feed("data: {\"error\":{\"message\":\"inner\",\"type\":\"server_error\",\"code\":\"oops\"}}\n\n"),
        StreamAction::retry);
    EXPECT_EQ(s.machine.error(),
              R"({"error":{"message":"inner","type":"server_error","param":null,"code":"oops"}})");
}

TEST(StreamMachine, TellsOfKeepAlivesBeforeTheCommit) {
    Stream s({.pass_keep_alives = true});
    EXPECT_FALSE(s.machine.said_alive());
    (void)s.feed(kRole);
    EXPECT_FALSE(s.machine.said_alive());
    (void)s.feed(": processing\n\n");
    EXPECT_EQ(s.machine.said_alive(), ": processing\n\n");
    EXPECT_FALSE(s.machine.said_alive());
    EXPECT_FALSE(s.machine.committed());
    (void)s.feed("data: {\"type\":\"keepalive\",\"sequence_number\":3}\n\n");
    EXPECT_EQ(s.machine.said_alive(), "");
    EXPECT_FALSE(s.machine.committed());
    EXPECT_EQ(s.machine.result().output_events, 0U) << "no time-out of ours begins anew";
    (void)s.feed(kText);
    EXPECT_EQ(s.read, joined({kRole, "data: {\"type\":\"keepalive\",\"sequence_number\":3}\n\n", kText}));
    (void)s.feed("data: {\"type\":\"keepalive\",\"sequence_number\":4}\n\n");
    EXPECT_EQ(s.machine.result().output_events, 1U);
    // What came with the output goes before it.
    Stream together({.pass_keep_alives = true});
    (void)together.feed(": processing\n\n" + std::string(kText));
    EXPECT_EQ(together.read, ": processing\n\n" + std::string(kText));
    EXPECT_FALSE(together.machine.said_alive());
    // Where no heartbeats are wanted, comments wait like the rest.
    Stream t;
    (void)t.feed(": processing\n\n");
    (void)t.feed(kText);
    EXPECT_EQ(t.read, joined({": processing\n\n", kText}));
}

TEST(StreamMachine, OneOfTwoAnswersIsNotTheWhole) {
    constexpr std::string_view first =
        "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
    constexpr std::string_view second =
        "data: {\"choices\":[{\"index\":1,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
    for (const bool both : {false, true}) {
        Stream s({.answers = 2});
        (void)s.feed(kText);
        (void)s.feed(first);
        if (both) (void)s.feed(second);
        EXPECT_EQ(s.broke(Break::cut), StreamAction::finish);
        EXPECT_EQ(s.machine.result().ending, both ? Ending::ok : Ending::stream_cut);
    }
    // Some services give one whatever is asked for.
    Stream s({.answers = 2});
    (void)s.feed(first);
    EXPECT_EQ(s.end(), StreamAction::finish);
    EXPECT_EQ(s.machine.result().ending, Ending::ok);
}

TEST(StreamMachine, TellsAThrottleFromAFailure) {
    Stream s;
    EXPECT_EQ(s.feed("data: {\"error\":{\"code\":\"429\",\"message\":\"slow down\"}}\n\n"),
              StreamAction::retry);
    EXPECT_EQ(s.machine.result().verdict.reason, Reason::throttled);
}

TEST(StreamMachine, ShowsTheClientItsOwnMistakeAsItIs) {
    constexpr std::string_view error =
        "data: {\"error\":{\"code\":\"content_filter\",\"message\":\"no\"}}\n\n";
    Stream s;
    (void)s.feed(kRole);
    EXPECT_EQ(s.feed(error), StreamAction::finish);
    EXPECT_EQ(s.read, joined({kRole, error}));
    EXPECT_EQ(s.machine.result().verdict.reason, Reason::content_filter);
    EXPECT_EQ(s.machine.result().ending, Ending::client_error);
}

TEST(StreamMachine, NeverTriesARequestsOwnMistakeElsewhere) {
    for (
        const std::string_view error :
        {R"({"error":{"type":"invalid_request_error","code":"context_length_exceeded","message":"too long"}})",
         R"({"error":{"message":"bad image","type":"BadRequestError","code":400}})",
         R"({"type":"response.failed","response":{"error":{"code":"invalid_prompt","message":"flagged"}}})"}) {
        Stream s({.events = api::StreamEvents::typed});
        EXPECT_EQ(s.feed("data: " + std::string(error) + "\n\n"), StreamAction::finish) << error;
        EXPECT_EQ(s.machine.result().verdict.whose, routing::Whose::client);
        EXPECT_EQ(s.machine.result().ending, Ending::client_error);
        EXPECT_NE(s.read.find(error), std::string::npos);
    }
}

TEST(StreamMachine, EndsWithAnErrorEventAfterTheFirstOutput) {
    struct Case {
        Break why;
        Ending ending;
        Reason reason;
        const char* code;
    };
    for (const Case& c : {Case{Break::cut, Ending::stream_cut, Reason::broken, "stream_cut"},
                          Case{Break::silence, Ending::timeout, Reason::timeout, "timeout"},
                          Case{Break::late, Ending::timeout, Reason::timeout, "timeout"},
                          Case{Break::shutdown, Ending::shutdown, Reason::cancelled, "shutting_down"}}) {
        Stream s;
        (void)s.feed(kText);
        EXPECT_EQ(s.broke(c.why), StreamAction::finish);
        EXPECT_NE(s.read.find(std::string("\"code\":\"") + c.code), std::string::npos) << s.read;
        EXPECT_TRUE(s.read.ends_with("\n\n"));
        EXPECT_EQ(s.machine.result().ending, c.ending);
        EXPECT_EQ(s.machine.result().verdict.reason, c.reason);
    }
    Stream passed;
    (void)passed.feed(kText);
    constexpr std::string_view error = "data: {\"error\":{\"code\":\"server_error\",\"message\":\"x\"}}\n\n";
    EXPECT_EQ(passed.feed(error), StreamAction::finish);
    EXPECT_EQ(passed.read, joined({kText, error}));
    EXPECT_EQ(passed.machine.result().ending, Ending::stream_error);
}

TEST(StreamMachine, NumbersItsErrorEventOfTheResponsesApi) {
    Stream s({.events = api::StreamEvents::typed});
    (void)s.feed(
        "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\","
        "\"sequence_number\":4,\"delta\":\"x\"}\n\n");
    EXPECT_EQ(s.end(), StreamAction::finish);
    EXPECT_NE(s.read.find("event: error\n"), std::string::npos);
    EXPECT_NE(s.read.find("\"sequence_number\":5"), std::string::npos) << s.read;
}

TEST(StreamMachine, IsCompleteWithFinishReasonAndNoDone) {
    Stream s;
    for (const auto part : {kText, kStop, kUsage}) (void)s.feed(part);
    EXPECT_EQ(s.end(), StreamAction::finish);
    EXPECT_EQ(s.machine.result().ending, Ending::ok);
    EXPECT_EQ(s.read.find("error"), std::string::npos);
    Stream broken;
    for (const auto part : {kText, kStop}) (void)broken.feed(part);
    EXPECT_EQ(broken.broke(Break::cut), StreamAction::finish);
    EXPECT_EQ(broken.read, joined({kText, kStop}));
}

TEST(StreamMachine, TakesALastEventWithoutItsBlankLine) {
    Stream s;
    (void)s.feed(kText);
    (void)s.feed("data: [DONE]\n");
    EXPECT_EQ(s.end(), StreamAction::finish);
    EXPECT_EQ(s.read, joined({kText, "data: [DONE]\n"}));
    EXPECT_EQ(s.machine.result().ending, Ending::ok);
    Stream half;
    (void)half.feed(kText);
    (void)half.feed("data: {\"choices\":[{\"zzz");
    EXPECT_EQ(half.end(), StreamAction::finish);
    EXPECT_EQ(half.machine.result().ending, Ending::stream_cut);
    EXPECT_EQ(half.read.find("zzz"), std::string::npos) << "half an event is not passed";
    Stream behind;
    for (const auto part : {kText, kDone, std::string_view(": bye")}) (void)behind.feed(part);
    EXPECT_EQ(behind.end(), StreamAction::finish);
    EXPECT_EQ(behind.read, joined({kText, kDone, ": bye"}));
}

TEST(StreamMachine, PassesEventsThatAreTooLargeToBeUnderstood) {
    const std::string picture =
        "event: response.image\ndata: {\"b64\":\"" + std::string(5000, 'a') + "\"}\n\n";
    const std::string end = "event: response.completed\ndata: {\"type\":\"response.completed\",\"x\":\"" +
                            std::string(3000, 'b') +
                            "\",\"response\":{\"usage\":{\"input_tokens\":5,\"output_tokens\":7,"
                            "\"total_tokens\":12}}}\r\n\r\n";
    for (const std::size_t cut : {std::size_t{100}, std::size_t{999}, std::size_t{20000}}) {
        Stream s({.events = api::StreamEvents::typed, .max_event_bytes = 1000});
        const std::string whole =
            "event: response.created\ndata: {\"type\":\"response.created\"}\n\n" + picture + picture + end;
        for (std::size_t at = 0; at < whole.size(); at += cut)
            ASSERT_EQ(s.feed(std::string_view(whole).substr(at, cut)), StreamAction::proceed);
        EXPECT_EQ(s.end(), StreamAction::finish);
        EXPECT_EQ(s.read, whole) << cut;
        EXPECT_EQ(s.machine.result().ending, Ending::ok);
        ASSERT_TRUE(s.machine.result().usage);
        EXPECT_EQ(s.machine.result().usage->completion, 7U);
    }
}

TEST(StreamMachine, PassesStreamsItDoesNotKnowAsTheyAre) {
    Stream s({.events = api::StreamEvents::opaque});
    EXPECT_TRUE(s.machine.committed());
    EXPECT_EQ(s.feed("\x01\x02 anything"), StreamAction::proceed);
    EXPECT_EQ(s.end(), StreamAction::finish);
    EXPECT_EQ(s.read, "\x01\x02 anything");
    Stream cut({.events = api::StreamEvents::opaque});
    (void)cut.feed("x");
    EXPECT_EQ(cut.broke(Break::cut), StreamAction::finish);
    EXPECT_EQ(cut.read, "x") << "no event is added to what is not understood";
    EXPECT_EQ(cut.machine.result().ending, Ending::stream_cut);
}

TEST(StreamMachine, AClientThatLeavesSaysNothingOfTheBackend) {
    Stream s;
    (void)s.feed(kText);
    EXPECT_EQ(s.broke(Break::client_left), StreamAction::finish);
    EXPECT_EQ(s.machine.result().verdict.reason, Reason::cancelled);
    EXPECT_EQ(s.machine.result().ending, Ending::client_left);
}

TEST(StreamMachine, LearnsWhoMadeEncryptedReasoning) {
    const std::string sealed(40, 'z');
    Stream s({.events = api::StreamEvents::typed, .sealed_reasoning = true});
    (void)s.feed(
        "event: response.output_item.done\ndata: {\"type\":\"response.output_item.done\",\"item\":"
        "{\"type\":\"reasoning\",\"encrypted_content\":\"" +
        sealed + "\"}}\n\n");
    EXPECT_EQ(s.affinity.find(sealed), 3U);
}

}  // namespace
}  // namespace spillway::gateway
