#include "chat/store.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "chat/ids.hpp"
#include "telemetry/temp_dir.hpp"

namespace spillway::chat {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Wall at(int seconds) {
    return Wall(std::chrono::seconds(seconds));
}

class StoreTest : public ::testing::Test {
protected:
    Message add(const Conversation& c, std::string parent, Role role, std::string text) {
        Message m;
        m.id = new_id();
        m.parent = std::move(parent);
        m.role = role;
        m.text = std::move(text);
        m.created = ++clock_;
        EXPECT_TRUE(store_.save_message("s", c.id, m, at(static_cast<int>(clock_))));
        return m;
    }
    void add_document(const Conversation& c, const std::string& name,
                      const std::vector<StoredChunk>& chunks) {
        Document d;
        d.id = new_id();
        d.name = name;
        d.type = "application/pdf";
        d.pages = 2;
        d.created = ++clock_;
        const auto done = store_.add_document("s", c.id, d, "bytes", {"page one", "page two"}, chunks);
        ASSERT_TRUE(done) << done.error().message;
        document_ = d.id;
    }
    std::vector<std::string> found(const Conversation& c, std::string_view question,
                                   const std::vector<float>& vector = {}, std::string_view context = {}) {
        std::vector<std::string> out;
        const auto hits = store_.search("s", c.id, question, context, vector, 3);
        EXPECT_TRUE(hits) << hits.error().message;
        if (hits)
            for (const Hit& h : *hits) out.push_back(h.text);
        return out;
    }

    Store store_ = Store::open(":memory:").value();
    std::int64_t clock_ = 0;
    std::string document_;
};

/// Of a conversation it is said that it is another's; nothing else of it.
bool is_hidden(const Error& error) {
    return is_not_found(error) || error.message == not_yours_text;
}

TEST_F(StoreTest, AnotherSessionSeesNothing) {
    const Conversation c = store_.create_conversation("s", "t", at(1)).value();
    const Message q = add(c, "", Role::user, "hi");
    add_document(c, "a.pdf", {});
    EXPECT_THAT(store_.conversations("other").value(), IsEmpty());
    EXPECT_TRUE(is_hidden(store_.conversation("other", c.id).error()));
    EXPECT_TRUE(is_hidden(store_.messages("other", c.id).error()));
    EXPECT_TRUE(is_hidden(store_.path_to("other", c.id, q.id).error()));
    EXPECT_TRUE(is_hidden(store_.save_message("other", c.id, q, at(1)).error()));
    EXPECT_TRUE(is_hidden(store_.documents("other", c.id).error()));
    EXPECT_TRUE(is_hidden(store_.document("other", document_).error()));
    EXPECT_TRUE(is_hidden(store_.document_content("other", document_).error()));
    EXPECT_TRUE(is_hidden(store_.page_text("other", document_, 1).error()));
    EXPECT_TRUE(is_hidden(store_.remove_document("other", document_).error()));
    EXPECT_TRUE(is_hidden(store_.rename("other", c.id, "x").error()));
    EXPECT_TRUE(is_hidden(store_.remove_conversation("other", c.id).error()));
    EXPECT_TRUE(is_hidden(store_.search("other", c.id, "page", "", {}, 3).error()));
    EXPECT_TRUE(store_.remove_all("other"));
    EXPECT_EQ(store_.messages("s", c.id).value().size(), 1U);
}

TEST_F(StoreTest, KeepsBranchesAndFollowsOne) {
    const Conversation c = store_.create_conversation("s", "", at(1)).value();
    const Message q1 = add(c, "", Role::user, "q1");
    const Message a1 = add(c, q1.id, Role::assistant, "a1");
    const Message q2 = add(c, a1.id, Role::user, "q2");
    const Message a1b = add(c, q1.id, Role::assistant, "a1 again");
    EXPECT_EQ(store_.messages("s", c.id).value().size(), 4U);
    std::vector<std::string> texts;
    const auto path = store_.path_to("s", c.id, q2.id);
    ASSERT_TRUE(path) << path.error().message;
    for (const Message& m : *path) texts.push_back(m.text);
    EXPECT_THAT(texts, ElementsAre("q1", "a1", "q2"));
    EXPECT_EQ(store_.conversation("s", c.id)->leaf, a1b.id);
    EXPECT_TRUE(store_.set_leaf("s", c.id, q2.id));
    EXPECT_EQ(store_.conversation("s", c.id)->leaf, q2.id);
    EXPECT_TRUE(is_not_found(store_.set_leaf("s", c.id, new_id()).error()));
    EXPECT_TRUE(is_not_found(store_.path_to("s", c.id, new_id()).error()));
    EXPECT_THAT(store_.path_to("s", c.id, "").value(), IsEmpty());
}

TEST_F(StoreTest, FindsByWordsAlsoInKorean) {
    const Conversation c = store_.create_conversation("s", "", at(1)).value();
    const Conversation other = store_.create_conversation("s", "", at(1)).value();
    add_document(c, "a.pdf",
                 {{1, 1, "The retry budget limits repeated requests.", {}},
                  {2, 1, "정원사가 월요일마다 물을 줍니다.", {}}});
    add_document(other, "b.pdf", {{1, 1, "Another retry budget.", {}}});
    EXPECT_THAT(found(c, "What is a retry budget?"),
                ElementsAre("The retry budget limits repeated requests."));
    EXPECT_THAT(found(c, "limiting"), ElementsAre("The retry budget limits repeated requests."));  // stemmed
    EXPECT_THAT(found(c, "정원사는 언제 오나요"), ElementsAre("정원사가 월요일마다 물을 줍니다."));
    EXPECT_THAT(found(c, "quark"), IsEmpty());
    EXPECT_THAT(found(c, "\" OR ) NEAR("), IsEmpty());  // no query syntax gets through
}

TEST_F(StoreTest, FusesWordsMeaningAndTheQuestionBefore) {
    const Conversation c = store_.create_conversation("s", "", at(1)).value();
    add_document(
        c, "a.pdf",
        {{1, 1, "cats sleep", {1, 0}}, {1, 2, "dogs bark", {0, 1}}, {2, 1, "cats and dogs", {1, 1}}});
    EXPECT_EQ(found(c, "felines", {1, 0.1F}).front(), "cats sleep");          // by meaning alone
    EXPECT_EQ(found(c, "cats dogs", {1, 1}).front(), "cats and dogs");        // both agree
    EXPECT_EQ(found(c, "and those?", {}, "dogs bark").front(), "dogs bark");  // by the question before
    const auto hits = store_.search("s", c.id, "cats", "", {1, 0}, 3).value();
    EXPECT_EQ(hits[0].word_rank, 1);
    EXPECT_EQ(hits[0].vector_rank, 1);
    EXPECT_DOUBLE_EQ(hits[0].similarity, 1);
    EXPECT_THAT(found(c, "quark", {1, 0, 0}), IsEmpty());  // vectors of another model do not count
}

TEST_F(StoreTest, RemovesADocumentFromTheIndexToo) {
    const Conversation c = store_.create_conversation("s", "", at(1)).value();
    add_document(c, "a.pdf", {{1, 1, "retry budget", {}}});
    EXPECT_EQ(store_.page_text("s", document_, 2).value(), "page two");
    EXPECT_EQ(store_.document_content("s", document_).value(), "bytes");
    EXPECT_EQ(store_.document("s", document_)->chunks, 1);
    EXPECT_TRUE(store_.remove_document("s", document_));
    EXPECT_THAT(found(c, "retry"), IsEmpty());
    EXPECT_TRUE(is_not_found(store_.page_text("s", document_, 2).error()));
    add_document(c, "b.pdf", {{1, 1, "retry budget", {}}});
    EXPECT_TRUE(store_.remove_conversation("s", c.id));
    EXPECT_TRUE(is_not_found(store_.document("s", document_).error()));
}

TEST_F(StoreTest, ForgetsTheOldestAFewAtATime) {
    const Wall now = Wall(std::chrono::hours(1000));
    for (int i = 0; i < 5; ++i)
        ASSERT_TRUE(store_.create_conversation("ann", std::to_string(i), now - std::chrono::hours(i)));
    EXPECT_EQ(store_.forget(now - std::chrono::hours(1), 2).value(), 2U) << "3 and 4 hours old";
    EXPECT_EQ(store_.forget(now - std::chrono::hours(1), 2).value(), 1U);
    EXPECT_EQ(store_.forget(now - std::chrono::hours(1), 2).value(), 0U);
    const auto left = store_.conversations("ann").value();
    ASSERT_EQ(left.size(), 2U);
    EXPECT_EQ(left[0].title, "0");
    EXPECT_EQ(left[1].title, "1") << "as old as is kept";
}

TEST(StoreFile, SurvivesAReopen) {
    const telemetry::test::TempDir folder;
    const std::string path = folder.file("deep/chat.db");
    {
        Store store = Store::open(path).value();
        ASSERT_TRUE(store.save_settings("s", R"({"sources":5})", at(1)));
        ASSERT_TRUE(store.create_conversation("s", "kept", at(1)));
    }
    Store store = Store::open(path).value();
    EXPECT_EQ(store.settings("s").value(), R"({"sources":5})");
    EXPECT_EQ(store.settings("other").value(), "{}");
    ASSERT_EQ(store.conversations("s").value().size(), 1U);
    EXPECT_EQ(store.conversations("s").value()[0].title, "kept");
}

TEST(StoreFile, SaysWhyItCannotBeOpened) {
    EXPECT_FALSE(Store::open("/proc/none/chat.db"));
}

}  // namespace
}  // namespace spillway::chat
