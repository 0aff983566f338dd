#pragma once
/// What a request holds besides text, in the units by which models count it: pictures, sound, pages.
///
/// Pictures (OpenAI, "Images and vision", calculating costs): some models count tiles of 512 pixels after the
/// picture was made to fit 2048 x 2048 and its shorter side 768, with a base for each picture and nothing
/// else at `detail: low`; others count patches of 32 pixels, at most 1,536. Both are counted here, because
/// the model is not known. A picture whose size cannot be seen (a link, a file's id) counts as the largest.
/// Sound: its length. Files: pages, by the size of the data, since a compressed PDF does not show them.
///
/// Units: see Media; sums saturate. Ownership: views into the request's body, no memory of its own.
/// Thread rule: free functions, safe everywhere. Errors: none; what cannot be read counts as the most likely.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace spillway::api {

struct Media {
    std::uint32_t pictures = 0;
    std::uint32_t tiles = 0;     ///< of 512 pixels, over all pictures of high detail
    std::uint32_t patches = 0;   ///< of 32 pixels, over all pictures
    std::uint32_t audio_ms = 0;  ///< length of sound
    std::uint32_t pages = 0;     ///< of files
    friend bool operator==(const Media&, const Media&) = default;
    Media& operator+=(const Media& more) noexcept;
    [[nodiscard]] bool empty() const noexcept { return *this == Media{}; }
};

/// Values of a message's part as they stand in the body, between their quotes; empty: absent.
struct MediaPart {
    std::string_view type;
    std::string_view image_url;
    std::string_view image_data;  ///< base64 without a "data:" head
    std::string_view detail;
    std::string_view file_data;
    std::string_view file_id;
    std::string_view file_url;
    std::string_view audio_data;
    std::string_view audio_format;

    [[nodiscard]] Media measure() const noexcept;
};

struct PictureSize {
    std::uint32_t width = 0;
    std::uint32_t height = 0;
};

/// From the head of a PNG, JPEG, GIF or WebP written in base64; the text may have JSON's "\/".
[[nodiscard]] std::optional<PictureSize> picture_size(std::string_view base64) noexcept;
[[nodiscard]] std::uint32_t tiles_of(PictureSize size) noexcept;
[[nodiscard]] std::uint32_t patches_of(PictureSize size) noexcept;

}  // namespace spillway::api
