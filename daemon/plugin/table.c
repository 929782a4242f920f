#include "plugin/table.h"

#include "base/limits.h"

int plugin_table_copy(const void *theirs, void *ours, size_t size, size_t least)
{
	uint32_t said;
	const unsigned char *bytes = theirs;

	memcpy(&said, theirs, sizeof(said));
	/* Before anything behind the size is read: a wild size must not lead the reader out of the table. */
	if (said > LIMIT_PLUGIN_TABLE || said % 8 != 0)
		return PLUGIN_TABLE_E_SIZE;
	if (said < least)
		return PLUGIN_TABLE_E_SHORT;
	for (size_t i = size; i < said; i++)
		if (bytes[i])
			return PLUGIN_TABLE_E_UNKNOWN;
	memset(ours, 0, size);
	memcpy(ours, theirs, said < size ? said : size);
	return 0;
}

const char *plugin_table_outcome_text(int outcome)
{
	switch (outcome) {
	case PLUGIN_TABLE_E_SHORT:
		return "its struct_size is smaller than that of the first version";
	case PLUGIN_TABLE_E_SIZE:
		return "its struct_size is none that a compiler gives";
	case PLUGIN_TABLE_E_UNKNOWN:
		return "it is not zero behind the fields that this daemon knows: made for a newer daemon, or never zeroed";
	default:
		return "no error";
	}
}
