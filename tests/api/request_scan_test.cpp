#include "api/request_scan.hpp"

#include <gtest/gtest.h>
#include <simdjson.h>

#include <limits>
#include <vector>

namespace spillway::api {
namespace {

/// Scans from memory that ends where the body ends.
class Scanned {
public:
    explicit Scanned(std::string_view body) : body_(body.begin(), body.end()) {
        error = scanner_.scan(view(), scan);
    }
    [[nodiscard]] std::string_view view() const { return {body_.data(), body_.size()}; }
    [[nodiscard]] std::string edit(std::string_view model, bool include_usage) {
        std::string joined;
        const BodyPieces pieces = edited(view(), scan, model, include_usage, scratch_);
        for (const std::string_view piece : pieces) {
            EXPECT_FALSE(piece.empty());
            joined += piece;
        }
        EXPECT_EQ(total_size(pieces), joined.size());
        return joined;
    }
    [[nodiscard]] std::vector<std::string> ids() const {
        return {scanner_.ids().view().begin(), scanner_.ids().view().end()};
    }
    ScanError error = ScanError::none;
    RequestScan scan;

private:
    std::vector<char> body_;
    RequestScanner scanner_;
    std::string scratch_ = "what was there";
};

ScanError error_of(std::string_view body) {
    return Scanned(body).error;
}

TEST(RequestScan, AChatRequest) {
    const Scanned s(R"( {"model": "gpt-4o", "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hi"}],
        "stream": true, "stream_options": {"include_usage": true}, "user": "u-1", "n": 3,
        "max_tokens": 100, "temperature": 0.5, "stop": null} )");
    ASSERT_EQ(s.error, ScanError::none);
    EXPECT_EQ(s.scan.model, "gpt-4o");
    EXPECT_EQ(s.scan.user, "u-1");
    EXPECT_TRUE(s.scan.stream);
    EXPECT_TRUE(s.scan.has_stream_options);
    EXPECT_TRUE(s.scan.include_usage);
    EXPECT_EQ(s.scan.n, 3U);
    EXPECT_EQ(s.scan.max_tokens, 100U);
    EXPECT_EQ(s.scan.prompt_chars, 11U);
    EXPECT_EQ(s.scan.prompt_items, 2U);
    EXPECT_EQ(s.scan.prompt_token_ids, 0U);
    EXPECT_EQ(s.view().substr(s.scan.model_span.offset, s.scan.model_span.length), "\"gpt-4o\"");
}

TEST(RequestScan, DefaultsOfAnEmptyObject) {
    for (const char* body : {"{}", " {\n} "}) {
        const Scanned s(body);
        ASSERT_EQ(s.error, ScanError::none);
        EXPECT_TRUE(s.scan.empty_object);
        EXPECT_EQ(s.scan.model.data(), nullptr);
        EXPECT_FALSE(s.scan.stream);
        EXPECT_FALSE(s.scan.has_stream_options);
        EXPECT_EQ(s.scan.n, 1U);
        EXPECT_EQ(s.scan.max_tokens, std::nullopt);
        EXPECT_FALSE(s.scan.model_span.present());
    }
}

TEST(RequestScan, TheScanIsResetAndViewsHoldUntilTheNext) {
    RequestScanner scanner;
    RequestScan scan;
    ASSERT_EQ(scanner.scan(R"({"model":"a\u0062","stream":true,"messages":["x"]})", scan), ScanError::none);
    EXPECT_EQ(scan.model, "ab");
    ASSERT_EQ(scanner.scan(R"({"model":"c"})", scan), ScanError::none);
    EXPECT_EQ(scan.model, "c");
    EXPECT_FALSE(scan.stream);
    EXPECT_EQ(scan.prompt_items, 0U);
    EXPECT_EQ(scanner.scan(R"({"model":"c")", scan), ScanError::malformed);
    EXPECT_EQ(scan.model, "");
    EXPECT_FALSE(scan.model_span.present());
}

TEST(RequestScan, EscapesInKeysAndValuesAreSeenThrough) {
    const Scanned s(R"({"mod\u0065l":"g\"p\\t\/\b\f\n\r\t\u00e9\ud83d\ude00\ud83d","us\u0065r":"a\u006eb",
        "previous_response_id":"r\u0031","\u0073tream":true,"messages":[{"cont\u0065nt":"abc"}],
        "stream_options":{"include\u005fusage":true}})");
    ASSERT_EQ(s.error, ScanError::none);
    EXPECT_EQ(s.scan.model, "g\"p\\t/\b\f\n\r\t\xc3\xa9\xf0\x9f\x98\x80\xef\xbf\xbd");
    EXPECT_EQ(s.scan.user, "anb");
    EXPECT_EQ(s.scan.previous_response_id, "r1");
    EXPECT_TRUE(s.scan.stream);
    EXPECT_TRUE(s.scan.include_usage);
    EXPECT_EQ(s.scan.prompt_chars, 3U);
}

TEST(RequestScan, FieldsOfTheWrongTypeAreAbsent) {
    const Scanned s(
        R"({"model":5,"user":["x"],"previous_response_id":{},"stream":"true","n":"2","max_tokens":null,
        "messages":null,"prompt":true,"input":7,"instructions":[],"best_of":-3})");
    ASSERT_EQ(s.error, ScanError::none);
    EXPECT_EQ(s.scan.model, "");
    EXPECT_TRUE(s.scan.model_span.present());
    EXPECT_EQ(s.scan.user, "");
    EXPECT_EQ(s.scan.previous_response_id, "");
    EXPECT_FALSE(s.scan.stream);
    EXPECT_EQ(s.scan.n, 1U);
    EXPECT_EQ(s.scan.max_tokens, std::nullopt);
    EXPECT_EQ(s.scan.prompt_items, 0U);
    EXPECT_EQ(s.scan.prompt_chars, 0U);
}

TEST(RequestScan, OfDuplicatedKeysTheLastCounts) {
    const Scanned s(R"({"model":"a","stream":true,"max_tokens":9,"messages":[{"content":"1234"}],
        "stream_options":{"include_usage":true,"include_usage":false},
        "model":"b","stream":false,"max_tokens":4,"messages":[{"content":"12"}]})");
    ASSERT_EQ(s.error, ScanError::none);
    EXPECT_EQ(s.scan.model, "b");
    EXPECT_FALSE(s.scan.stream);
    EXPECT_FALSE(s.scan.include_usage);
    EXPECT_EQ(s.scan.max_tokens, 4U);
    EXPECT_EQ(s.scan.prompt_chars, 2U);
    EXPECT_EQ(s.scan.prompt_items, 1U);
    const Scanned last_is_null(
        R"({"model":"a","model":null,"n":4,"n":null,"stream_options":{"include_usage":true},
        "stream_options":null})");
    EXPECT_EQ(last_is_null.scan.model, "");
    EXPECT_EQ(last_is_null.scan.n, 1U);
    EXPECT_FALSE(last_is_null.scan.include_usage);
    EXPECT_FALSE(last_is_null.scan.options_is_object);
    EXPECT_FALSE(last_is_null.scan.include_usage_span.present());
}

TEST(RequestScan, NestedFieldsOfTheSameNameAreNotTaken) {
    const Scanned s(R"({"metadata":{"model":"x","stream":true,"user":"u","max_tokens":1},
        "tools":[{"model":"y","parameters":{"messages":["abc"]}}]})");
    ASSERT_EQ(s.error, ScanError::none);
    EXPECT_EQ(s.scan.model, "");
    EXPECT_FALSE(s.scan.stream);
    EXPECT_EQ(s.scan.user, "");
    EXPECT_EQ(s.scan.max_tokens, std::nullopt);
    EXPECT_EQ(s.scan.prompt_chars, 0U);
}

TEST(RequestScan, TheLargestTokenLimitCounts) {
    const auto max_tokens = [](std::string_view body) { return Scanned(body).scan.max_tokens; };
    EXPECT_EQ(max_tokens(R"({"max_tokens":1,"max_completion_tokens":5,"max_output_tokens":3})"), 5U);
    EXPECT_EQ(max_tokens(R"({"max_output_tokens":3})"), 3U);
    EXPECT_EQ(max_tokens(R"({"max_tokens":0})"), 0U);
    EXPECT_EQ(max_tokens(R"({"max_tokens":-1})"), std::nullopt);
    EXPECT_EQ(max_tokens(R"({"max_tokens":1e3})"), 1000U);
    EXPECT_EQ(max_tokens(R"({"max_tokens":12.9})"), 12U);
    constexpr auto most = std::numeric_limits<std::uint64_t>::max();
    EXPECT_EQ(max_tokens(R"({"max_tokens":18446744073709551615})"), most);
    EXPECT_EQ(max_tokens(R"({"max_tokens":18446744073709551616})"), most);
    EXPECT_EQ(max_tokens(R"({"max_tokens":1e30})"), most);
    EXPECT_EQ(max_tokens(R"({"max_tokens":1e999})"), most);
    EXPECT_EQ(max_tokens(R"({"max_tokens":1e-999})"), 0U);
}

TEST(RequestScan, NIsTheLargerOfNAndBestOf) {
    EXPECT_EQ(Scanned(R"({"n":2,"best_of":5})").scan.n, 5U);
    EXPECT_EQ(Scanned(R"({"n":7,"best_of":5})").scan.n, 7U);
    EXPECT_EQ(Scanned(R"({"best_of":4})").scan.n, 4U);
    EXPECT_EQ(Scanned(R"({"n":0})").scan.n, 1U);
    EXPECT_EQ(Scanned(R"({"n":99999999999})").scan.n, std::numeric_limits<std::uint32_t>::max());
}

TEST(RequestScan, CharactersNotBytesAreCounted) {
    const auto chars = [](std::string_view content) {
        return Scanned(R"({"messages":[{"content":")" + std::string(content) + R"("}]})").scan.prompt_chars;
    };
    EXPECT_EQ(chars(""), 0U);
    EXPECT_EQ(chars("abc"), 3U);
    EXPECT_EQ(chars("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"), 3U);
    EXPECT_EQ(chars(R"(\u00e9\u20ac)"), 2U);
    EXPECT_EQ(chars(R"(\ud83d\ude00)"), 1U);
    EXPECT_EQ(chars(R"(\ud83d\ude00\ud83d\ude00x)"), 3U);
    EXPECT_EQ(chars(R"(\ud83dx\ude00)"), 3U);
    EXPECT_EQ(chars(R"(\n\"\\)"), 3U);
    EXPECT_EQ(chars(std::string(1000, 'x') + "\xc3\xa9" + R"(\n)"), 1002U);
}

TEST(RequestScan, TellsWhetherAllIsAscii) {
    const auto ascii = [](std::string_view body) { return Scanned(body).scan.ascii; };
    const std::string pad(100, 'x');
    EXPECT_TRUE(ascii("{}"));
    EXPECT_TRUE(ascii(R"({"a":")" + pad + R"(\n\"","b":[")" + pad + R"("],"messages":[{"content":"y"}]})"));
    // In a key, in what is read and in what is skipped; as bytes and as an escape.
    for (const char* other : {"\xc3\xa9", "\\u00e9"}) {
        EXPECT_FALSE(ascii(std::string("{\"") + other + "\":1}"));
        EXPECT_FALSE(ascii(R"({"messages":[{"content":")" + pad + other + pad + "\"}]}"));
        EXPECT_FALSE(ascii(R"({"other":[[{"x":")" + pad + other + "\"}]]}"));
    }
}

TEST(RequestScan, PartsOfMessagesThatAreText) {
    const Scanned s(R"({"messages":[
        {"role":"user","content":[{"type":"text","text":"abc"},
            {"type":"image_url","image_url":{"url":"data:image/png;base64,AAAAAAAA","detail":"high"}},
            {"type":"input_audio","input_audio":{"data":"BBBBBBBB","format":"wav"}},
            {"type":"file","file":{"file_data":"CCCC","filename":"f.pdf"}}]},
        {"role":"assistant","content":null,"refusal":"no","tool_calls":[
            {"id":"call_1","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}}]},
        {"role":"tool","tool_call_id":"call_1","content":"12"}]})");
    ASSERT_EQ(s.error, ScanError::none);
    EXPECT_EQ(s.scan.prompt_chars, 3U + 2U + 7U + 2U);
    EXPECT_EQ(s.scan.prompt_items, 3U);
}

TEST(RequestScan, ResponsesInput) {
    const Scanned text(R"({"model":"m","input":"hello","instructions":"be nice","max_output_tokens":7,
        "previous_response_id":"resp_1"})");
    EXPECT_EQ(text.scan.prompt_chars, 12U);
    EXPECT_EQ(text.scan.prompt_items, 1U);
    EXPECT_EQ(text.scan.previous_response_id, "resp_1");
    EXPECT_EQ(text.scan.max_tokens, 7U);
    const Scanned items(R"({"input":[{"role":"user","content":[{"type":"input_text","text":"ab"},
        {"type":"input_image","image_url":"data:image/png;base64,AAAA"},{"type":"input_file","file_data":"BBBB"}]},
        {"type":"function_call","call_id":"c","name":"f","arguments":"{}"},
        {"type":"function_call_output","call_id":"c","output":"xyz"},
        {"type":"reasoning","id":"r","summary":[{"type":"summary_text","text":"hm"}],"encrypted_content":"ZZZZ"},
        {"type":"item_reference","id":"i"}]})");
    EXPECT_EQ(items.scan.prompt_chars, 2U + 2U + 3U + 2U + 4U)
        << "sealed reasoning is read by the model, too";
    EXPECT_EQ(items.scan.prompt_items, 5U);
}

TEST(RequestScan, TheFirstItemThatIsNamedAlone) {
    const Scanned items(R"({"input":[{"type":"message","id":"msg_1","role":"user","content":"x"},
        {"id":"rs_1","type":"item_reference"},{"type":"item_reference","id":"rs_2"}]})");
    EXPECT_EQ(items.ids(), std::vector<std::string>{"rs_1"});
    EXPECT_TRUE(
        Scanned(R"({"input":[{"type":"item_reference"},{"type":"item_reference","id":7}]})").ids().empty());
}

TEST(RequestScan, MediaOfMessages) {
    const Scanned chat(R"({"messages":[{"role":"user","content":[
        {"type":"image_url","image_url":{"url":"https://x/1.png","detail":"low"}},
        {"image_url":{"detail":"high","url":"https://x/2.png"},"type":"image_url"},
        {"type":"input_audio","input_audio":{"data":"AAAAAAAA","format":"wav"}},
        {"type":"file","file":{"file_data":"CCCC","filename":"f.pdf"}},
        {"type":"file","file":{"file_id":"file-1"}}]}]})");
    EXPECT_EQ(chat.scan.media, (Media{2, 8, 2 * 1536, 0, 1 + 4}));
    const Scanned responses(R"({"input":[{"role":"user","content":[
        {"type":"input_image","image_url":"https://x/1.png","detail":"auto"},
        {"type":"input_image","file_id":"file-1"},{"type":"input_file","file_data":"CCCC"}]},
        {"type":"function_call_output","call_id":"c","output":[
            {"type":"input_image","image_url":"https://x/1.png"}]},
        {"type":"computer_call_output","output":{"type":"computer_screenshot","image_url":"https://x/1.png"}},
        {"type":"image_generation_call","id":"i","result":"AAAA"}],
        "conversation":{"id":"conv_1"}})");
    EXPECT_EQ(responses.scan.media, (Media{5, 5 * 8, 5 * 1536, 0, 1}));
    EXPECT_EQ(responses.scan.conversation, "conv_1");
    EXPECT_EQ(Scanned(R"({"conversation":"conv_2"})").scan.conversation, "conv_2");
    // Of what came twice the last counts; what only has such names is nothing.
    EXPECT_EQ(Scanned(R"({"input":[{"image_url":"x"}],"input":"y"})").scan.media, Media{});
    EXPECT_EQ(Scanned(R"({"image_url":"x","metadata":{"image_url":"x"}})").scan.media, Media{});
    EXPECT_EQ(Scanned(R"({"input":[{"image_url":5,"file":[],"input_audio":{"data":{}}}]})").scan.media,
              Media{});
}

TEST(RequestScan, SchemasAreCountedWithoutTheirWhiteSpace) {
    const std::string tool = R"({"type":"function","function":{"name":"f","strict":true}})";
    // Names 4 + 8 + 4 + 6, values 8 + 1 + 4, punctuation of four members and one item.
    constexpr std::size_t one = 22 + 13 + 3 * 5;
    const auto scan = [](const std::string& body) { return Scanned(body).scan; };
    EXPECT_EQ(scan("{\"tools\":[" + tool + "]}").schema_chars, one);
    EXPECT_EQ(scan("{\"tools\": [ \n " + tool + " , " + tool + " ] }").schema_chars, 2 * one);
    EXPECT_EQ(scan("{\"tools\":[" + tool + "," + tool + "],\"functions\":[{}]}").tools, 3U);
    EXPECT_EQ(scan(R"({"response_format":{"type":"json_object"}})").schema_chars, 4U + 11U + 3U);
    EXPECT_EQ(scan(R"({"text":{"format":{"type":"text"}}})").schema_chars, 6U + 3U + 4U + 4U + 3U);
    EXPECT_EQ(scan(R"({"tools":[{}],"tools":null})").tools, 0U);
    EXPECT_EQ(scan("{\"tools\":[" + tool + "]}").prompt_chars, 0U);
}

TEST(RequestScan, PromptsAndEmbeddingInputs) {
    const auto scan = [](std::string_view body) { return Scanned(body).scan; };
    for (const std::string key : {"prompt", "input"}) {
        RequestScan s = scan("{\"" + key + R"(":"abc"})");
        EXPECT_EQ(s.prompt_chars, 3U);
        EXPECT_EQ(s.prompt_items, 1U);
        s = scan("{\"" + key + R"(":["abc","de"]})");
        EXPECT_EQ(s.prompt_chars, 5U);
        EXPECT_EQ(s.prompt_items, 2U);
        s = scan("{\"" + key + R"(":[1, 2 ,3]})");
        EXPECT_EQ(s.prompt_token_ids, 3U);
        EXPECT_EQ(s.prompt_items, 1U);
        EXPECT_EQ(s.prompt_chars, 0U);
        s = scan("{\"" + key + R"(":[[1,2],[3]]})");
        EXPECT_EQ(s.prompt_token_ids, 3U);
        EXPECT_EQ(s.prompt_items, 2U);
        s = scan("{\"" + key + R"(":[]})");
        EXPECT_EQ(s.prompt_items, 0U);
    }
    EXPECT_EQ(scan(R"({"prompt":{"id":"pmpt_1","version":"2"}})").prompt_chars, 0U);
}

TEST(RequestScan, NotAnObject) {
    for (const char* body : {"[]", "[1,2]", "5", "\"x\"", "null", "true", " false "})
        EXPECT_EQ(error_of(body), ScanError::not_object) << body;
    for (const char* body : {"", " ", "\r\n\t "}) EXPECT_EQ(error_of(body), ScanError::empty) << body;
}

TEST(RequestScan, Malformed) {
    for (const char* body : {"{",
                             "}",
                             "[",
                             "hello",
                             "{]",
                             "[}",
                             "{\"a\"",
                             "{\"a\":",
                             "{\"a\":1",
                             "{\"a\":1,",
                             "{\"a\":1,}",
                             "{\"a\" 1}",
                             "{\"a\":}",
                             "{a:1}",
                             "{'a':1}",
                             "{\"a\":1}}",
                             "{\"a\":1} x",
                             "{\"a\":1}{}",
                             "{\"a\":[1,2}",
                             "{\"a\":[1,]}",
                             "{\"a\":[}",
                             "{\"a\":{\"b\":1]}",
                             "{\"a\":{}",
                             "{\"a\":[1 2]}",
                             "{,}",
                             "{\"messages\": [",
                             "{\"a\":tru}",
                             "{\"a\":nul",
                             "{\"a\":truex}",
                             "{\"a\":01}",
                             "{\"a\":+1}",
                             "{\"a\":1.}",
                             "{\"a\":.5}",
                             "{\"a\":1e}",
                             "{\"a\":-}",
                             "{\"a\":1e+}",
                             "{\"a\":NaN}",
                             "{\"a\":0x1}",
                             "{\"a\":\"x}",
                             "{\"a\":\"\\x\"}",
                             "{\"a\":\"\\u12\"}",
                             "{\"a\":\"\\u12g4\"}",
                             "{\"a\":\"\\\"}",
                             "{\"a\":\"line\nbreak\"}",
                             "{\"model\":\"\\",
                             "{\"model\":\"x",
                             "{\"n\":01}",
                             "{\"stream\":tru}",
                             "{\"messages\":[{\"content\":\"a}]}",
                             "[1,",
                             "1 2",
                             "{\"stream_options\":{\"include_usage\":}}",
                             "\xef\xbb\xbf{}",
                             "// c\n{}",
                             "{\"input\":[1,{]}"})
        EXPECT_EQ(error_of(body), ScanError::malformed) << body;
    EXPECT_EQ(error_of(std::string_view("{}\0", 3)), ScanError::malformed);
    EXPECT_EQ(error_of(std::string_view("{\"a\":\"\0\"}", 9)), ScanError::malformed);
}

TEST(RequestScan, EveryPrefixOfABodyIsMalformed) {
    const std::string body =
        R"({"model":"g\u0070t","messages":[{"role":"user","content":[{"type":"text","text":"h\n"}]}],"a":[1.5e+3,)"
        R"({"b":[null,true]},-0],"n":12,"stream_options":{"include_usage":false}})";
    ASSERT_EQ(error_of(body), ScanError::none);
    for (std::size_t length = 1; length < body.size(); ++length)
        EXPECT_EQ(error_of(std::string_view(body).substr(0, length)), ScanError::malformed) << length;
}

TEST(RequestScan, NotUtf8) {
    for (const char* body : {"{\"messages\": \"\xff\"}", "{\"a\":\"\xc3\"}", "\xff", "{\"\xed\xa0\x80\":1}",
                             "{\"a\":\"\xc0\x80\"}"})
        EXPECT_EQ(error_of(body), ScanError::bad_utf8) << body;
    for (std::size_t before = 0; before < 70; ++before)
        EXPECT_EQ(error_of(R"({"a":")" + std::string(before, 'x') + "\xff\"}"), ScanError::bad_utf8);
}

TEST(RequestScan, DepthIsLimited) {
    const auto nested = [](std::string_view key, std::size_t depth, char open, char close) {
        std::string body = "{\"" + std::string(key) + "\":";
        for (std::size_t i = 0; i < depth; ++i) body.append(open == '{' ? "{\"content\":" : "[");
        body += '1';
        body.append(depth, close);
        return body + '}';
    };
    for (const std::string key : {"a", "messages", "input"}) {
        EXPECT_EQ(error_of(nested(key, 1000, '[', ']')), ScanError::none);
        EXPECT_EQ(error_of(nested(key, 1000, '{', '}')), ScanError::none);
        EXPECT_EQ(error_of(nested(key, 200'000, '[', ']')), ScanError::too_deep);
        EXPECT_EQ(error_of(nested(key, 200'000, '{', '}')), ScanError::too_deep);
        EXPECT_EQ(error_of("{\"" + key + "\":" + std::string(200'000, '[')), ScanError::too_deep);
    }
    EXPECT_EQ(error_of(std::string(200'000, '[')), ScanError::too_deep);
}

TEST(RequestScan, ErrorsHaveASentenceEach) {
    for (const ScanError e : {ScanError::none, ScanError::empty, ScanError::not_object, ScanError::malformed,
                              ScanError::bad_utf8, ScanError::too_deep})
        EXPECT_TRUE(to_string(e).ends_with('.'));
    EXPECT_NE(to_string(ScanError::empty), to_string(ScanError::malformed));
}

// --- edited() ---

TEST(Edited, NothingToDoIsTheBodyInOnePiece) {
    Scanned s(R"({"model":"a","stream_options":{"include_usage":true}})");
    std::string scratch;
    const BodyPieces pieces = edited(s.view(), s.scan, "a", true, scratch);
    ASSERT_EQ(pieces.size(), 1U);
    EXPECT_EQ(pieces[0].data(), s.view().data());
    EXPECT_EQ(pieces[0], s.view());
    EXPECT_EQ(Scanned(R"({"x":1})").edit("", false), R"({"x":1})");
}

TEST(Edited, Model) {
    EXPECT_EQ(Scanned(R"({"a":1, "model" : "old" , "b":2})").edit("new", false),
              R"({"a":1, "model" : "new" , "b":2})");
    EXPECT_EQ(Scanned(R"({"model":null})").edit("new", false), R"({"model":"new"})");
    EXPECT_EQ(Scanned(R"({"model":{"a":[1]},"b":2})").edit("new", false), R"({"model":"new","b":2})");
    EXPECT_EQ(Scanned(R"({"model":""})").edit("new", false), R"({"model":"new"})");
    EXPECT_EQ(Scanned(R"({"a":1})").edit("new", false), R"({"model":"new","a":1})");
    EXPECT_EQ(Scanned("{}").edit("new", false), R"({"model":"new"})");
    EXPECT_EQ(Scanned(" { \n} ").edit("new", false), " {\"model\":\"new\" \n} ");
    EXPECT_EQ(Scanned(R"({"model":"old"})").edit("q\"\\\n", false), R"({"model":"q\"\\\n"})");
    EXPECT_EQ(Scanned(R"({"model":"a","model":"b"})").edit("new", false), R"({"model":"a","model":"new"})");
}

TEST(Edited, IncludeUsage) {
    const auto edit = [](std::string_view body) { return Scanned(body).edit("", true); };
    EXPECT_EQ(edit("{}"), R"({"stream_options":{"include_usage":true}})");
    EXPECT_EQ(edit(R"({"a":1})"), R"({"stream_options":{"include_usage":true},"a":1})");
    EXPECT_EQ(edit(R"({"stream_options":null})"), R"({"stream_options":{"include_usage":true}})");
    EXPECT_EQ(edit(R"({"stream_options":{}})"), R"({"stream_options":{"include_usage":true}})");
    EXPECT_EQ(edit(R"({"stream_options": { } })"), R"({"stream_options": {"include_usage":true } })");
    EXPECT_EQ(edit(R"({"stream_options":{"x":1}})"), R"({"stream_options":{"include_usage":true,"x":1}})");
    EXPECT_EQ(edit(R"({"stream_options":{"include_usage":false}})"),
              R"({"stream_options":{"include_usage":true}})");
    EXPECT_EQ(edit(R"({"stream_options":{"include_usage": null ,"x":1}})"),
              R"({"stream_options":{"include_usage": true ,"x":1}})");
    EXPECT_EQ(edit(R"({"stream_options":{"include_usage":"yes"}})"),
              R"({"stream_options":{"include_usage":true}})");
    EXPECT_EQ(edit(R"({"stream_options":{"include_usage":true}})"),
              R"({"stream_options":{"include_usage":true}})");
    for (const char* left : {R"({"stream_options":5})", R"({"stream_options":"x"})",
                             R"({"stream_options":[]})", R"({"stream_options":true})"})
        EXPECT_EQ(edit(left), left);
}

TEST(Edited, BothInAnyOrder) {
    const auto edit = [](std::string_view body) { return Scanned(body).edit("m2", true); };
    EXPECT_EQ(edit("{}"), R"({"model":"m2","stream_options":{"include_usage":true}})");
    EXPECT_EQ(edit(R"({"a":1})"), R"({"model":"m2","stream_options":{"include_usage":true},"a":1})");
    EXPECT_EQ(edit(R"({"model":"m","a":1})"),
              R"({"stream_options":{"include_usage":true},"model":"m2","a":1})");
    EXPECT_EQ(edit(R"({"stream_options":{},"a":1})"),
              R"({"model":"m2","stream_options":{"include_usage":true},"a":1})");
    EXPECT_EQ(edit(R"({"model":"m","stream_options":{"include_usage":false}})"),
              R"({"model":"m2","stream_options":{"include_usage":true}})");
    EXPECT_EQ(edit(R"({"stream_options":{"include_usage":false},"model":"m"})"),
              R"({"stream_options":{"include_usage":true},"model":"m2"})");
    EXPECT_EQ(edit(R"({"stream_options":null,"model":"m"})"),
              R"({"stream_options":{"include_usage":true},"model":"m2"})");
    EXPECT_EQ(edit(R"({"stream_options":5,"model":"m"})"), R"({"stream_options":5,"model":"m2"})");
}

TEST(Edited, EveryEditScansToWhatWasAskedFor) {
    const char* models[] = {"", R"("model":"m")", R"("model":null)", R"("model":[1,{"model":"x"}])"};
    const char* options[] = {"",
                             R"("stream_options":null)",
                             R"("stream_options":{})",
                             R"("stream_options":{"x":{}})",
                             R"("stream_options":{"include_usage":false,"y":1})",
                             R"("stream_options":{"include_usage":true})"};
    for (const std::string model : models)
        for (const std::string option : options)
            for (const std::string other : {"", R"("a":"b")"})
                for (const bool swapped : {false, true}) {
                    std::string body = "{";
                    for (const std::string& part :
                         {swapped ? option : model, other, swapped ? model : option})
                        if (!part.empty()) body += (body.size() > 1 ? "," : "") + part;
                    Scanned before(body + "}");
                    ASSERT_EQ(before.error, ScanError::none) << body;
                    const std::string after = before.edit("new", true);
                    const Scanned again(after);
                    ASSERT_EQ(again.error, ScanError::none) << after;
                    EXPECT_EQ(again.scan.model, "new") << after;
                    EXPECT_TRUE(again.scan.include_usage) << after;
                    simdjson::dom::parser parser;
                    EXPECT_EQ(parser.parse(after).error(), simdjson::SUCCESS) << after;
                }
}

}  // namespace
}  // namespace spillway::api
