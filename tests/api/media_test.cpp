#include "api/media.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace spillway::api {
namespace {

std::string base64(const std::vector<int>& bytes) {
    static constexpr std::string_view digits =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        unsigned three = 0;
        for (std::size_t j = 0; j < 3; ++j)
            three = three << 8U | (i + j < bytes.size() ? static_cast<unsigned>(bytes[i + j]) : 0U);
        for (unsigned j = 0; j < 4; ++j) out += digits[three >> (18U - 6U * j) & 63U];
    }
    return out;
}

std::vector<int> png(int width, int height) {
    return {0x89,         'P',          'N', 'G', 13,  10, 26, 10,          0,           0, 0,
            13,           'I',          'H', 'D', 'R', 0,  0,  width / 256, width % 256, 0, 0,
            height / 256, height % 256, 8,   2,   0,   0,  0};
}

std::vector<int> jpeg(int width, int height, int preview) {
    std::vector<int> out{0xff, 0xd8, 0xff, 0xe1, (preview + 2) / 256, (preview + 2) % 256};
    out.insert(out.end(), static_cast<std::size_t>(preview), 0xc0);
    const std::vector<int> frame{0xff,         0xff,        0xc2,        0, 17, 8,    height / 256,
                                 height % 256, width / 256, width % 256, 3, 1,  0x22, 0};
    out.insert(out.end(), frame.begin(), frame.end());
    return out;
}

void expect_size(const std::vector<int>& file, unsigned width, unsigned height) {
    std::string text = base64(file);
    for (const bool escaped : {false, true}) {
        if (escaped)
            for (std::size_t at = 0; (at = text.find('/', at)) != std::string::npos; at += 2)
                text.insert(at, 1, '\\');
        const auto size = picture_size(text);
        ASSERT_TRUE(size);
        EXPECT_EQ(size->width, width);
        EXPECT_EQ(size->height, height);
    }
}

TEST(Media, ReadsTheSizeOfPictures) {
    expect_size(png(1024, 768), 1024, 768);
    expect_size(jpeg(4000, 3000, 40'000), 4000, 3000);
    expect_size({'G', 'I', 'F', '8', '9', 'a', 0x20, 3, 0x58, 2, 0, 0}, 800, 600);
    const std::vector<int> riff{'R', 'I', 'F', 'F', 0, 0, 0, 0, 'W', 'E', 'B', 'P', 'V', 'P', '8'};
    const auto webp = [&](std::vector<int> rest) {
        rest.insert(rest.begin(), riff.begin(), riff.end());
        return rest;
    };
    expect_size(webp({'X', 10, 0, 0, 0, 0, 0, 0, 0, 0xff, 3, 0, 0xff, 1, 0}), 1024, 512);
    expect_size(webp({' ', 0, 0, 0, 0, 0, 0, 0, 0x9d, 1, 0x2a, 0, 4, 0, 2}), 1024, 512);
    expect_size(webp({'L', 0, 0, 0, 0, 0x2f, 0xff, 0xc3, 0x7f, 0}), 1024, 512);
}

TEST(Media, WhatIsNoPictureHasNoSize) {
    EXPECT_FALSE(picture_size(""));
    EXPECT_FALSE(picture_size("////////////////////////////////////////"));
    EXPECT_FALSE(picture_size("not base64 at all!"));
    EXPECT_FALSE(picture_size(base64(png(0, 768))));
    const std::string whole = base64(jpeg(640, 480, 100));
    for (std::size_t length = 0; length + 20 < whole.size(); ++length)
        EXPECT_FALSE(picture_size(whole.substr(0, length))) << length;
    EXPECT_FALSE(picture_size(base64(jpeg(640, 480, 0)).substr(0, 4) + std::string(400'000, '/')));
}

TEST(Media, TilesAsPublished) {
    EXPECT_EQ(tiles_of({1024, 1024}), 4U);  // 765 tokens
    EXPECT_EQ(tiles_of({2048, 4096}), 6U);  // 1,105 tokens
    EXPECT_EQ(tiles_of({512, 512}), 1U);
    EXPECT_EQ(tiles_of({1, 1}), 1U);
    EXPECT_EQ(tiles_of({513, 100}), 2U);
    EXPECT_EQ(tiles_of({0xffffffff, 0xffffffff}), 4U);
    EXPECT_EQ(patches_of({1024, 1024}), 1024U);
    EXPECT_EQ(patches_of({0xffffffff, 0xffffffff}), 1536U);
    EXPECT_EQ(patches_of({33, 1}), 2U);
}

TEST(Media, PartsAreMeasuredForWhatTheyAre) {
    const std::string url = "data:image\\/png;base64," + base64(png(1024, 1024));
    EXPECT_EQ((MediaPart{.image_url = url}.measure()), (Media{1, 4, 1024, 0, 0}));
    EXPECT_EQ((MediaPart{.image_url = url, .detail = "low"}.measure()), (Media{1, 0, 1024, 0, 0}));
    EXPECT_EQ((MediaPart{.image_url = "https://x/y.png"}.measure()), (Media{1, 8, 1536, 0, 0}));
    EXPECT_EQ((MediaPart{.type = "input_image", .file_id = "file-1"}.measure()), (Media{1, 8, 1536, 0, 0}));
    EXPECT_EQ((MediaPart{.type = "input_file", .file_id = "file-1"}.measure()), (Media{0, 0, 0, 0, 4}));
    const std::string megabyte(4 * 256 * 1024, 'A');
    EXPECT_EQ((MediaPart{.file_data = megabyte}.measure()), (Media{0, 0, 0, 0, 12}));
    EXPECT_EQ((MediaPart{.audio_data = megabyte, .audio_format = "wav"}.measure()).audio_ms, 16'384U);
    EXPECT_EQ((MediaPart{.audio_data = megabyte, .audio_format = "mp3"}.measure()).audio_ms, 196'608U);
    Media sum{0xffffffff, 1, 1, 0, 0};
    sum += {1, 1, 1, 1, 1};
    EXPECT_EQ(sum, (Media{0xffffffff, 2, 2, 1, 1}));
}

}  // namespace
}  // namespace spillway::api
