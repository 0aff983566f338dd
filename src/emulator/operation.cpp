#include "emulator/operation.hpp"

namespace spillway::emulator {

std::string_view operation_name(Operation op) noexcept {
    switch (op) {
        case Operation::chat:
            return "ChatCompletions_Create";
        case Operation::completions:
            return "Completions_Create";
        case Operation::embeddings:
            return "Embeddings_Create";
        case Operation::responses:
            return "Responses_Create";
    }
    return "Unknown";
}

}  // namespace spillway::emulator
