#include "routing/blame.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

#include "base/strings.hpp"

namespace spillway::routing {
namespace {

/// One case of the table in docs/routing.md, and the row it stands in.
struct Case {
    std::string what;
    std::vector<std::string> row;
};

std::vector<std::string> split(std::string_view text, char at) {
    std::vector<std::string> out;
    while (true) {
        const auto end = text.find(at);
        out.emplace_back(trim(text.substr(0, end)));
        if (end == std::string_view::npos) return out;
        text.remove_prefix(end + 1);
    }
}

std::vector<Case> documented() {
    std::vector<Case> out;
    std::ifstream file(SPILLWAY_SOURCE_DIR "/docs/routing.md");
    bool here = false;
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with("| what came |")) here = true;
        if (here && line.empty()) break;
        if (!here || !line.starts_with("| `")) continue;
        auto row = split(line.substr(1, line.size() - 2), '|');
        for (std::string& what : split(row.at(0), ',')) out.push_back({what.substr(1, what.size() - 2), row});
    }
    return out;
}

/// What a case of the table means. Words after the status are the error's code; some name a shape.
Evidence evidence_of(const std::string& what) {
    Evidence e;
    if (what == "no connection") e.came = Came::no_connection;
    if (what == "no proxy") e.came = Came::no_proxy;
    if (what == "no credential") e.came = Came::no_credential;
    if (what == "timed out") e.came = Came::timed_out;
    if (what == "local limit") e.came = Came::local_limit;
    if (what == "client left") e.came = Came::client_left;
    if (what == "cut") e.came = Came::cut;
    if (what == "malformed") e.came = Came::malformed;
    if (e.came != Came::answer) return e;
    static std::vector<std::vector<std::string>> kept;  // Evidence views them
    kept.push_back(split(what, ' '));
    for (const std::string& word : kept.back()) {
        if (&word == kept.back().data()) {
            if (word == "stream")
                e.came = Came::stream_error;
            else
                e.status = parse_int<unsigned>(word).value();
        } else if (word == "empty") {
            e.body = BodyShape::empty;
        } else if (word == "html") {
            e.body = BodyShape::html;
        } else if (word == "error") {
            e.body = BodyShape::error;
        } else if (word == "whole") {
            e.charge = 15'000;
            e.whole_quota = 10'000;
        } else if (word == "param") {
            e.param = "messages[0]";
        } else if (word == "context") {
            e.message = "This model's maximum context length is 8192 tokens.";
        } else if (word == "model") {
            e.message = "The model `x` does not exist.";
        } else {
            e.code = word;
        }
    }
    return e;
}

TEST(Blame, DoesAsTheDocumentedTableSays) {
    const auto cases = documented();
    ASSERT_GT(cases.size(), 100U) << "the table in docs/routing.md was not found";
    for (const Case& c : cases) {
        SCOPED_TRACE(c.what);
        ASSERT_EQ(c.row.size(), 7U);
        const Verdict v = blame(evidence_of(c.what), {});
        EXPECT_EQ(to_string(v.whose), c.row[1]);
        EXPECT_EQ(to_string(v.scope), c.row[2]);
        EXPECT_EQ(to_string(v.consequence), c.row[3]);
        EXPECT_EQ(v.elsewhere ? "yes" : "no", c.row[4]);
        EXPECT_EQ(to_string(v.disclosure), c.row[5]);
        EXPECT_EQ(to_string(v.reason), c.row[6]);
    }
}

TEST(Blame, TriesNobodyElseOnceSomethingWasSent) {
    for (const Case& c : documented()) {
        Evidence e = evidence_of(c.what);
        const Verdict before = blame(e, {});
        e.output_sent = true;
        Verdict after = blame(e, {});
        EXPECT_FALSE(after.elsewhere) << c.what;
        after.elsewhere = before.elsewhere;
        EXPECT_EQ(after, before) << c.what;
    }
}

TEST(Blame, ErrorsInAStreamAreJudgedByTypeWhereTheCodeSaysNothing) {
    Evidence e;
    e.came = Came::stream_error;
    e.type = "invalid_request_error";
    EXPECT_EQ(blame(e, {}).whose, Whose::client);
    e.code = "something_new";
    EXPECT_EQ(blame(e, {}).whose, Whose::client);
    e.type = "server_error";
    EXPECT_EQ(blame(e, {}).whose, Whose::deployment);
    e = {};
    e.came = Came::stream_error;
    e.code = "1500";  // a number, but of no status
    e.type = "invalid_model";
    EXPECT_EQ(blame(e, {}).whose, Whose::pair);
}

TEST(Blame, InnerErrorsOfTheFilterCount) {
    Evidence e;
    e.status = 400;
    e.content_filter = true;
    EXPECT_EQ(blame(e, {}).reason, Reason::content_filter);
}

TEST(Blame, ThingsWithIdsAreTheClientsOwn) {
    const OperationFacts things{.asks_a_model = false, .answers_json = false};
    for (const char* what : {"404", "409", "404 model_not_found", "400 OperationNotSupported"})
        EXPECT_EQ(blame(evidence_of(what), things).whose, Whose::client) << what;
    EXPECT_EQ(blame(evidence_of("200 empty"), things).whose, Whose::nobody);
    EXPECT_EQ(blame(evidence_of("200 html"), things).whose, Whose::nobody);
    EXPECT_EQ(blame(evidence_of("500"), things).whose, Whose::deployment);
}

TEST(Blame, EveryStatusIsSomebodys) {
    for (unsigned status = 100; status < 1000; ++status) {
        Evidence e;
        e.status = status;
        const Verdict v = blame(e, {});
        const bool moved = status >= 300 && status < 400 && status != 304;  // no answer of a model
        EXPECT_EQ(v.whose == Whose::nobody, status < 400 && !moved) << status;
        if (v.whose == Whose::client) {
            EXPECT_EQ(v.consequence, Consequence::nothing) << status;
        }
    }
}

TEST(Blame, ARequestTooLargeHereMayFitElsewhere) {
    Evidence e;
    e.status = 429;
    e.code = "rate_limit_exceeded";
    e.message = "Request too large for gpt-4o on tokens per min (TPM): Limit 30000, Requested 45000.";
    const Verdict v = blame(e, {});
    EXPECT_EQ(v.whose, Whose::request);
    EXPECT_EQ(v.consequence, Consequence::nothing);
    EXPECT_EQ(v.reason, Reason::too_large);
    EXPECT_TRUE(v.elsewhere);
}

TEST(Blame, EveryValueHasAWord) {
    for (int i = 0; i <= static_cast<int>(Whose::backend); ++i)
        EXPECT_FALSE(to_string(static_cast<Whose>(i)).empty());
    for (int i = 0; i <= static_cast<int>(Scope::backend); ++i)
        EXPECT_FALSE(to_string(static_cast<Scope>(i)).empty());
    for (int i = 0; i <= static_cast<int>(Consequence::learn); ++i)
        EXPECT_FALSE(to_string(static_cast<Consequence>(i)).empty());
    for (int i = 1; i <= static_cast<int>(Reason::cancelled); ++i)
        EXPECT_FALSE(to_string(static_cast<Reason>(i)).empty());
}

}  // namespace
}  // namespace spillway::routing
