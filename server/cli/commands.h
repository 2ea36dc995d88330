/* The commands, each in the file of its family. Called through the table in server/main.c. */
#pragma once

int fy_cmd_serve(int argc, char **argv);
int fy_cmd_check_config(int argc, char **argv);
int fy_cmd_migrate(int argc, char **argv);
int fy_cmd_admin_create(int argc, char **argv);
int fy_cmd_sessions_list(int argc, char **argv);
int fy_cmd_sessions_revoke(int argc, char **argv);
int fy_cmd_jobs_list(int argc, char **argv);
int fy_cmd_jobs_run(int argc, char **argv);
int fy_cmd_access_log_verify(int argc, char **argv);
int fy_cmd_person_export(int argc, char **argv);
int fy_cmd_person_erase(int argc, char **argv);
int fy_cmd_receipt_verify(int argc, char **argv);
int fy_cmd_keys_rotate(int argc, char **argv);
int fy_cmd_healthcheck(int argc, char **argv);
int fy_cmd_doctor(int argc, char **argv);
int fy_cmd_version(int argc, char **argv);

/* Started by Foyer itself: a worker, and a program that must end with its parent. */
int fy_cmd_worker(int argc, char **argv);
int fy_cmd_exec_child(int argc, char **argv);
