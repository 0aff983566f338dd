#include "http/io_error.hpp"

#include <string>

namespace spillway::http {

namespace {
class Category final : public std::error_category {
public:
    [[nodiscard]] const char* name() const noexcept override { return "io"; }
    [[nodiscard]] std::string message(int value) const override {
        switch (static_cast<IoError>(value)) {
            case IoError::eof:
                return "closed by the peer";
            case IoError::truncated:
                return "closed by the peer without TLS's close_notify";
            case IoError::cancelled:
                return "cancelled";
            case IoError::tls:
                return "TLS failed";
            case IoError::certificate:
                return "the client's certificate was refused";
        }
        return "unknown";
    }
};
}  // namespace

std::error_code make_error_code(IoError e) noexcept {
    static const Category category;
    return {static_cast<int>(e), category};
}

}  // namespace spillway::http
