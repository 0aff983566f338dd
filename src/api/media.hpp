#pragma once
/// Measures a request's content other than text, in the units that models count: pictures, sound, pages.
///
/// Pictures (OpenAI, "Images and vision", calculating costs): some models count tiles of 512 pixels, after
/// the picture is scaled to fit 2048 x 2048 and its shorter side to 768, plus a base for each picture, and
/// only the base for `detail: low`; others count patches of 32 pixels, at most 1,536. Both are counted, since
/// the model is not known here. A picture of unknown size (a link, a file's id) counts as the largest. Sound:
/// its length. Files: pages, by the size of the data, since a compressed PDF does not show their number.
///
/// Units: see Media; sums saturate. Ownership: views into the request's body, no memory of its own.
/// Thread rule: free functions, safe everywhere. Errors: none; what cannot be read counts as the usual size.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace spillway::api {

struct Media {
    std::uint32_t pictures = 0;
    std::uint32_t tiles = 0;     ///< of 512 pixels, in all pictures of high detail
    std::uint32_t patches = 0;   ///< of 32 pixels, in all pictures
    std::uint32_t audio_ms = 0;  ///< length of sound
    std::uint32_t pages = 0;     ///< of files
    friend bool operator==(const Media&, const Media&) = default;
    Media& operator+=(const Media& more) noexcept;
    [[nodiscard]] bool empty() const noexcept { return *this == Media{}; }
};

/// Members of a message's part, as between their quotes in the body; empty: absent.
struct MediaPart {
    std::string_view type{};
    std::string_view image_url{};
    std::string_view image_data{};  ///< base64 without a "data:" prefix
    std::string_view detail{};
    std::string_view file_data{};
    std::string_view file_id{};
    std::string_view file_url{};
    std::string_view audio_data{};
    std::string_view audio_format{};

    [[nodiscard]] Media measure() const noexcept;
};

struct PictureSize {
    std::uint32_t width = 0;
    std::uint32_t height = 0;
};

/// From the header of a PNG, JPEG, GIF or WebP in base64; the text may have JSON's "\/".
[[nodiscard]] std::optional<PictureSize> picture_size(std::string_view base64) noexcept;
[[nodiscard]] std::uint32_t tiles_of(PictureSize size) noexcept;
[[nodiscard]] std::uint32_t patches_of(PictureSize size) noexcept;

}  // namespace spillway::api
