/* The table of jobs. A job is one row here and one file that does it; when and where it runs is the runner's.
 * Read by the runner, the command line and the back office. */
#include <string.h>

#include "foyer/require.h"
#include "jobs/job.h"

const struct fy_job fy_jobs_table[] = {
	{
		.name = "mail",
		.what = { "Envoie les courriels en attente.", "Sends the mails that wait." },
		.scope = FY_JOB_CLUSTER,
		.period_s = 5, /* a mail is announced by fy_jobs_kick; this finds retries and other servers' */
		.jitter_s = 1,
		.deadline_s = 300,
		.hold_s = 60,
		.run = fy_mail_run,
	},
	{
		.name = "policy",
		.what = { "Annonce par e-mail les changements importants de la politique de confidentialité aux personnes "
			  "concernées.",
			  "Tells the persons concerned of major changes of the privacy policy, by mail." },
		.scope = FY_JOB_CLUSTER,
		.period_s = 60, /* and as many mails as mail.announcements_per_run says: a pace */
		.jitter_s = 5,
		.deadline_s = 600,
		.hold_s = 60,
		.run = fy_policy_run,
	},
	{
		.name = "purge",
		.what = { "Supprime les inscriptions jamais confirmées, les liens expirés, les courriels envoyés, les "
			  "anciens messages de contact, les demandes closes et les preuves de consentement périmées.",
			  "Deletes registrations never confirmed, expired links, mails that were sent, old contact "
			  "messages, requests that ended long ago, and old proofs of consent." },
		.scope = FY_JOB_CLUSTER,
		.period_s = 3600, /* a promise of seven days is then kept to the hour */
		.jitter_s = 300,
		.deadline_s = 600,
		.hold_s = 60,
		.run = fy_purge_run,
	},
	{
		.name = "retention",
		.what = { "Efface les comptes dont la date est venue et les personnes inscrites qui n'ont pas pu être "
			  "informées, et prévient les titulaires de comptes inactifs.",
			  "Erases the accounts whose date has come and entered people who could not be told, and warns "
			  "the holders of inactive accounts." },
		.scope = FY_JOB_CLUSTER,
		.period_s = 3600,
		.jitter_s = 300,
		.deadline_s = 1800,
		.hold_s = 60,
		.run = fy_retention_run,
	},
	{
		.name = "rotate",
		.what = { "Archive, compresse et supprime à terme les journaux.",
			  "Rotates, compresses and in time deletes the logs." },
		.scope = FY_JOB_HOST,
		.period_s = 60, /* so "daily" is within a minute after midnight */
		.jitter_s = 0,
		.deadline_s = 1800,
		.run = fy_rotate_run,
	},
	{
		.name = "studies",
		.what = { "Envoie les invitations à des études de marché aux personnes qui l'ont accepté.",
			  "Sends invitations to market research to those who agreed to be asked." },
		.scope = FY_JOB_CLUSTER,
		.period_s = 60, /* as of `policy` */
		.jitter_s = 5,
		.deadline_s = 600,
		.hold_s = 60,
		.run = fy_studies_run,
	},
};
const size_t fy_jobs_table_count = FY_COUNT(fy_jobs_table);

const struct fy_job *fy_jobs_find(const char *name)
{
	for (size_t i = 0; i < fy_jobs_table_count; i++) {
		if (strcmp(fy_jobs_table[i].name, name) == 0)
			return &fy_jobs_table[i];
	}
	return NULL;
}
