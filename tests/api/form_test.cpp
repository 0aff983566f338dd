#include "api/form.hpp"

#include <gtest/gtest.h>

namespace spillway::api {
namespace {

constexpr std::string_view kType = "multipart/form-data; boundary=xyz";

std::string part(std::string_view head, std::string_view value) {
    return "--xyz\r\nContent-Disposition: form-data; " + std::string(head) + "\r\n\r\n" + std::string(value) +
           "\r\n";
}

std::string found(const std::string& body, std::string_view type = kType) {
    const auto span = find_form_field(body, type, "model");
    return span ? body.substr(span->offset, span->length) : "(none)";
}

TEST(FormField, IsFoundBeforeAndBehindFiles) {
    const std::string file =
        part("name=\"file\"; filename=\"a.wav\"", std::string("RIFF\r\n--xy\r\n\0z", 14));
    const std::string model = part("name=\"model\"", "whisper-1");
    EXPECT_EQ(found(file + model + "--xyz--\r\n"), "whisper-1");
    EXPECT_EQ(found(model + file + "--xyz--\r\n"), "whisper-1");
    EXPECT_EQ(found(model + model + part("name=model", "last") + "--xyz--"), "last");
    EXPECT_EQ(found(part("name=\"model\"", "") + "--xyz--"), "");
    EXPECT_EQ(found(model + "--xyz--", "Multipart/Form-Data; charset=x; boundary=\"xyz\""), "whisper-1");
}

TEST(FormField, AFileOrAnotherFormHasNone) {
    EXPECT_EQ(found(part("name=\"model\"; filename=\"m\"", "x") + "--xyz--"), "(none)");
    EXPECT_EQ(found(part("name=\"models\"", "x") + "--xyz--"), "(none)");
    EXPECT_EQ(found(part("name=\"model\"", "x"), "application/json"), "(none)");
    EXPECT_EQ(found(part("name=\"model\"", "x"), "multipart/form-data"), "(none)");
    EXPECT_EQ(found("--xyz\r\n--xyz\r\n\r\n--xyz"), "(none)");
    EXPECT_EQ(found(""), "(none)");
}

}  // namespace
}  // namespace spillway::api
