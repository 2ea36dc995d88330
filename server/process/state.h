/* The state directory: made, judged and locked before anything is written into it.
 * What lies in it belongs to others (databases, keys, logs, mails). Called by the supervisor and by the
 * commands that need storage. */
#pragma once

#include <stdbool.h>

#define FY_STATE_WHY_MAX 512

/* Exit codes of the whole program (surface: 0 done, 1 failed, 2 usage, 78 configuration). */
enum fy_exit { FY_EXIT_OK = 0, FY_EXIT_FAILED = 1, FY_EXIT_USAGE = 2, FY_EXIT_CONFIG = 78 };

/* When started as root and `name` is not empty: gives `dir` to that user if it is not there yet, and becomes the user
 * for good. 0, or an exit code with one sentence. */
int fy_state_become_user(const char *name, const char *dir, char *ret_why);

/* Makes the directory and its parts where they are missing, and checks owner, permissions and free space.
 * 0, or an exit code with one sentence in `ret_why` (FY_STATE_WHY_MAX bytes). */
int fy_state_prepare(const char *dir, const char *log_dir, const char *mail_dir, char *ret_why);

/* Takes the lock that one supervisor, or one command that runs the embedded databases itself, holds for as
 * long as it lives. The file descriptor, or -1: `ret_pid` is then the holder's, 0 where it cannot be told. */
int fy_state_lock(const char *dir, int *ret_pid);
