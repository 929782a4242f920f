/*
 * Code that is loaded runs with all our rights, so nobody else may be able to change it.
 */
#ifndef FG_PLUGIN_SAFE_PATH_H
#define FG_PLUGIN_SAFE_PATH_H

struct errmsg;

enum {
	_PLUGIN_SAFE_PATH_E_OK,
	PLUGIN_SAFE_PATH_E_WRITABLE, /* somebody else may write it, or a folder above it */
};

/*
 * Is @path a regular file that, like every folder above it, belongs to root or to this process's user and is not
 * writable by others? Folders with the sticky bit are let pass: there only owners can rename; and so is the group that
 * a user is alone in (same number as the user, as Debian gives it). Symbolic links are followed first.
 *
 * 0 and the real path, which is what may then be opened and is the caller's to free; the outcome with @error set; or
 * negative errno.
 */
int plugin_safe_path(const char *path, char **ret, struct errmsg *error);

#endif
