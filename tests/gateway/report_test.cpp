#include "gateway/report.hpp"

#include "gateway/evidence.hpp"
#include "gateway/station_fixture.hpp"
#include "gateway/stream_words.hpp"

namespace spillway::gateway {
namespace {

using namespace std::chrono_literals;

struct Done : Station {
    Done() {
        chat(R"({"model":"gpt-4o","stream":true,"messages":[]})");
        asked.id = "req-1";
        report.status = 200;
        report.served_by = 1;
        report.attempts = 2;
        report.spilled = true;
        report.tried.push_back({.backend = 0, .status = 429, .kind = routing::OutcomeKind::throttled});
        report.tried.push_back({.backend = 1, .status = 200});
        report.note_usage({.prompt = 10, .completion = 5, .total = 15, .cached = 4, .reasoning = 2});
    }
    Report report;
    Wire wire{.took = 20ms,
              .peer = "1.2.3.4:5",
              .method = "POST",
              .target = "/v1/chat/completions",
              .bytes_sent = 99};
};

TEST(Report, BecomesARowOfTheLedger) {
    Done d;
    const auto row = usage_row(d.asked, d.report, "two", {.tokens = 15, .cost = 7}, d.wire);
    EXPECT_EQ(row.client, "web");
    EXPECT_EQ(row.backend, "two");
    EXPECT_EQ(row.operation, "chat");
    EXPECT_EQ(row.prompt_tokens, 10U);
    EXPECT_EQ(row.reasoning_tokens, 2U);
    EXPECT_EQ(row.charged_tokens, 15U);
    EXPECT_EQ(row.throttled, 1U);
    EXPECT_TRUE(row.spilled);
    EXPECT_FALSE(row.estimated);
}

TEST(Report, ARefusalByLimitsIsARowThatCostsNothing) {
    Done d;
    Report limited;
    limited.status = 429;
    limited.ending = Ending::limited;
    const auto row = usage_row(d.asked, limited, "", {}, d.wire);
    EXPECT_EQ(row.client, "web");
    EXPECT_EQ(row.status, 429);
    EXPECT_EQ(row.prompt_tokens + row.completion_tokens + row.charged_tokens + row.cost, 0U);
    EXPECT_FALSE(row.estimated) << "nothing was used";
}

TEST(Report, BecomesALineOfTheLog) {
    Done d;
    const auto record = access_record(d.asked, d.report, "two", "web", {}, d.wire);
    EXPECT_EQ(record.request_id, "req-1");
    EXPECT_EQ(record.outcome, "ok");
    EXPECT_EQ(record.tokens_cached, 4U);
    EXPECT_TRUE(record.stream);
    EXPECT_EQ(record.bytes_out, 99U);
}

TEST(Report, TellsItsClient) {
    Done d;
    quota::Subjects subjects;
    std::string out;
    append_report_fields(out, d.report, "req-1", "two", subjects, d.now);
    EXPECT_EQ(out, "x-spillway-backend: two\r\nx-spillway-attempts: 2\r\nx-request-id: req-1\r\n");
    subjects.push_back(d.asked.account);
    EXPECT_TRUE(has_own_terms(subjects));
    out.clear();
    append_report_fields(out, d.report, "req-1", "", subjects, d.now);
    EXPECT_NE(out.find("x-ratelimit-limit-tokens: 1000\r\n"), std::string::npos) << out;
}

TEST(Report, CountsByHowItEnded) {
    telemetry::Registry registry;
    const Answers answers(registry);
    const auto counter = [&](Ending ending, int status, bool served = false) {
        Report r;
        r.ending = ending;
        r.status = status;
        if (served) r.served_by = 0;
        return &answer_counter(answers, r);
    };
    EXPECT_EQ(counter(Ending::ok, 200, true), &answers.served);
    EXPECT_EQ(counter(Ending::limited, 429), &answers.limited);
    EXPECT_EQ(counter(Ending::limited, 403), &answers.limited) << "a budget, or the quota of a month";
    EXPECT_EQ(counter(Ending::out_of_quota, 429), &answers.no_quota);
    EXPECT_EQ(counter(Ending::client_left, 499), &answers.left);
    EXPECT_EQ(counter(Ending::no_backend, 503), &answers.failed);
    EXPECT_EQ(counter(Ending::client_error, 400, true), &answers.refused);
}

TEST(Report, NamesWhoseMetricsItCountsIn) {
    Done d;
    EXPECT_EQ(metrics_labels(d.asked, 3, 100).client, "web");
    EXPECT_EQ(metrics_labels(d.asked, 3, 100).deployment, "gpt-4o");
    EXPECT_EQ(metrics_labels(d.asked, 3, d.asked.deployment_ref.index + 1).deployment, "_other");
    d.asked.client = nullptr;
    d.asked.deployment_ref = {};
    EXPECT_EQ(metrics_labels(d.asked, 0, 100).client, "");
    EXPECT_EQ(metrics_labels(d.asked, 0, 100).deployment, "");
}

TEST(Ending, HasANameEach) {
    for (int i = 0; i <= static_cast<int>(Ending::stream_error); ++i)
        for (int k = 0; k < i; ++k)
            EXPECT_NE(to_string(static_cast<Ending>(i)), to_string(static_cast<Ending>(k)));
}

TEST(Evidence, IsReadOfAnswersThatAreNone) {
    std::optional<api::ApiError> error;
    const auto shape = [&](unsigned status, std::string_view type, std::string_view body) {
        error.reset();
        return evidence_of_answer(status, type, body, error).body;
    };
    using routing::BodyShape;
    EXPECT_EQ(shape(200, "application/json", R"({"id":"x","choices":[]})"), BodyShape::unread);
    EXPECT_EQ(shape(200, "application/json", " \n"), BodyShape::empty);
    EXPECT_EQ(shape(200, "text/html", "<html>"), BodyShape::html);
    EXPECT_EQ(shape(200, "application/json", R"({"error":{"message":"x","code":502}})"), BodyShape::error);
    EXPECT_EQ(error->code, "502");
    EXPECT_EQ(shape(404, "application/json", R"({"error":{"code":"DeploymentNotFound"}})"), BodyShape::error);
    EXPECT_TRUE(refuses_stream_options(400, "Unknown parameter: 'stream_options'."));
    EXPECT_FALSE(refuses_stream_options(400, "Unknown parameter: 'x'."));
    EXPECT_TRUE(refuses_stream_options(500, "unexpected keyword argument 'stream_options'"));
    EXPECT_FALSE(refuses_stream_options(200, R"({"choices":[{"message":{"content":"stream_options"}}]})"));
    EXPECT_EQ(shape(200, "application/json", R"({"id":"x","error":null,"choices":[]})"), BodyShape::unread);
    EXPECT_EQ(shape(200, "text/plain", "upstream connect error"), BodyShape::html) << "no JSON at all";
    EXPECT_EQ(shape(400, "application/json", R"([{"error":{"message":"x"}}])"), BodyShape::error);
}

TEST(StreamWords, TellARefusalAsAnEvent) {
    const Refusal why{.status = 503, .message = "no", .type = "server_error", .code = "no_backend"};
    const std::string chat = refusal_event(why, api::StreamEvents::chat);
    EXPECT_TRUE(chat.starts_with("data: {\"error\":"));
    EXPECT_TRUE(chat.ends_with("\n\n"));
    EXPECT_TRUE(refusal_event(why, api::StreamEvents::typed).starts_with("event: error\n"));
    EXPECT_EQ(data_event("a\r\nb"), "data: a\ndata: b\n\n");
    Refusal theirs = why;
    theirs.body = R"({"error":{"message":"their words","code":"c"}})";
    EXPECT_NE(refusal_event(theirs, api::StreamEvents::typed).find("their words"), std::string::npos);
}

}  // namespace
}  // namespace spillway::gateway
