/* Answering with an export: what the routes for members and for those who follow a mailed link share. */
#pragma once

#include "server/http/request.h"
#include "storage/export.h"

/* Gathers what is held about the holder of an address; it lives as long as the request. Errors of fy_export_gather. */
fy_async int fy_export_for(struct fy_req *req, struct fy_slice email_hash, const struct fy_export **ret_export);

/* 200 with its ZIP as a download, and a line in the log. */
int fy_reply_export(struct fy_req *req, const struct fy_export *export, struct fy_slice zip);
