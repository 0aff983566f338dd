#pragma once
/// Adds a dropped file to the store: recognizes it, extracts text, cuts, embeds and saves it. Reports to the
/// page as lines of JSON: `progress` {stage: reading | embedding | waiting, done, total}, then `document`
/// or `error` {code, message}, then `end`.
///
/// A document that cannot be embedded is saved nevertheless and found by its words; then `embedding_model`
/// is empty and `document` has a `trouble`. Ownership: lives in its request's handler. Thread rule:
/// the event loop's; reading runs on the pool given.
#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/json.hpp"
#include "base/task.hpp"
#include "chat/model.hpp"
#include "chat/pdf.hpp"
#include "chat/pools.hpp"
#include "http/server.hpp"

namespace spillway::chat {

struct UploadLimits {
    std::size_t bytes = 20UL * 1024 * 1024;
    std::size_t pages = 2000;
    std::size_t chunks = 5000;
    std::size_t documents = 50;  ///< of a conversation
    Duration reading = std::chrono::seconds(10);
    PdfReader read_pdf = chat::read_pdf;
};

/// A file's name for the store: the last segment, without control characters and square brackets (which mark
/// citations), at most 120 characters. Empty if nothing is left.
[[nodiscard]] std::string clean_name(std::string_view name);

struct FileText {
    std::string type;
    std::vector<std::string> pages;
    bool paged = false;
    std::vector<StoredChunk> chunks;  ///< without vectors
};
/// Why a file was refused.
struct FileError {
    std::string_view code;  ///< unsupported, not_pdf, encrypted, no_text, empty, too_much_text, too_slow,
                            ///< encoding, unreadable, stopped
    std::string message;
};
[[noreturn]] void throw_exception_from_error(const FileError& e, const boost::source_location& where);
/// Blocks. `stop` is set when the sender has left; it may be null.
[[nodiscard]] boost::system::result<FileText, FileError> read_file(std::string_view name,
                                                                   std::string_view bytes,
                                                                   const UploadLimits& limits,
                                                                   const std::atomic<bool>* stop = nullptr);

class Ingest {
public:
    Ingest(http::Exchange& exchange, Model& model, StoreThread& store, ThreadPool& readers,
           const UploadLimits& limits);

    Task<void> run(std::string session, std::string conversation, std::string name);

private:
    Task<void> add(std::string session, std::string conversation, std::string name);
    /// Why there are no vectors; empty if there are.
    Task<std::string> embed(std::vector<StoredChunk>& chunks);
    Task<void> progress(std::string_view stage, std::size_t done, std::size_t total, Duration wait = {});
    Task<void> error(std::string_view message, std::string_view code);

    http::Exchange& exchange_;
    Model& model_;
    StoreThread& store_;
    ThreadPool& readers_;
    const UploadLimits& limits_;
    Cancel cancel_;
    /// Shared with the reader, which may end after this.
    std::shared_ptr<std::atomic<bool>> left_ = std::make_shared<std::atomic<bool>>(false);
};

void write_document(JsonWriter& out, const Document& document);

}  // namespace spillway::chat
