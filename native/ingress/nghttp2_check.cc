/// Compares our declarations with the system's header, on machines that have it. Compiles to nothing.
#include "ingress/nghttp2_types.h"

#if __has_include(<nghttp2/nghttp2.h>)
#include <nghttp2/nghttp2.h>

#include <type_traits>

namespace vinery::nghttp2 {

static_assert(sizeof(FrameHead) == sizeof(nghttp2_frame_hd));
static_assert(offsetof(FrameHead, length) == offsetof(nghttp2_frame_hd, length));
static_assert(offsetof(FrameHead, stream_id) == offsetof(nghttp2_frame_hd, stream_id));
static_assert(offsetof(FrameHead, type) == offsetof(nghttp2_frame_hd, type));
static_assert(offsetof(FrameHead, flags) == offsetof(nghttp2_frame_hd, flags));
static_assert(offsetof(nghttp2_frame, hd) == 0 && offsetof(nghttp2_headers, hd) == 0 &&
              offsetof(nghttp2_data, hd) == 0);
static_assert(offsetof(PingFrame, head) == offsetof(nghttp2_ping, hd));
static_assert(offsetof(PingFrame, payload) == offsetof(nghttp2_ping, opaque_data));
static_assert(sizeof(HeaderField) == sizeof(nghttp2_nv));
static_assert(offsetof(HeaderField, name) == offsetof(nghttp2_nv, name));
static_assert(offsetof(HeaderField, value) == offsetof(nghttp2_nv, value));
static_assert(offsetof(HeaderField, name_length) == offsetof(nghttp2_nv, namelen));
static_assert(offsetof(HeaderField, value_length) == offsetof(nghttp2_nv, valuelen));
static_assert(offsetof(HeaderField, flags) == offsetof(nghttp2_nv, flags));
static_assert(sizeof(SettingsEntry) == sizeof(nghttp2_settings_entry));
static_assert(offsetof(SettingsEntry, value) == offsetof(nghttp2_settings_entry, value));
static_assert(sizeof(DataSource) == sizeof(nghttp2_data_source));
static_assert(sizeof(DataProvider) == sizeof(nghttp2_data_provider));
static_assert(offsetof(DataProvider, read) == offsetof(nghttp2_data_provider, read_callback));

static_assert(kData == NGHTTP2_DATA && kHeaders == NGHTTP2_HEADERS);
static_assert(kSettings == NGHTTP2_SETTINGS && kPing == NGHTTP2_PING && kGoaway == NGHTTP2_GOAWAY);
static_assert(kWindowUpdate == NGHTTP2_WINDOW_UPDATE);
static_assert(kFlagEndStream == NGHTTP2_FLAG_END_STREAM && kFlagAck == NGHTTP2_FLAG_ACK);
static_assert(kBodyEnds == NGHTTP2_DATA_FLAG_EOF && kTrailersFollow == NGHTTP2_DATA_FLAG_NO_END_STREAM);
static_assert(kBodyNotCopied == NGHTTP2_DATA_FLAG_NO_COPY);
static_assert(kMaxConcurrentStreams == NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
static_assert(kInitialWindowSize == NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE);
static_assert(kMaxFrameSize == NGHTTP2_SETTINGS_MAX_FRAME_SIZE);
static_assert(kMaxHeaderListSize == NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE);
static_assert(kWouldBlock == NGHTTP2_ERR_WOULDBLOCK && kDeferred == NGHTTP2_ERR_DEFERRED);
static_assert(kCallbackFailure == NGHTTP2_ERR_CALLBACK_FAILURE && kFlooded == NGHTTP2_ERR_FLOODED);
static_assert(kBadClientMagic == NGHTTP2_ERR_BAD_CLIENT_MAGIC && kNoMemory == NGHTTP2_ERR_NOMEM);
static_assert(kNoError == NGHTTP2_NO_ERROR && kInternalError == NGHTTP2_INTERNAL_ERROR);
static_assert(kRefusedStream == NGHTTP2_REFUSED_STREAM && kEnhanceYourCalm == NGHTTP2_ENHANCE_YOUR_CALM);

}  // namespace vinery::nghttp2
#endif
