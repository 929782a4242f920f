#include "symbols.h"

#include <elf.h>

struct object {
	struct bytes file;
	Elf64_Ehdr head;
};

static bool holds(struct bytes file, uint64_t offset, uint64_t len)
{
	return offset <= file.len && len <= file.len - offset;
}

static int refuse(struct errmsg *error, const char *what)
{
	errmsg_set(error, "%s", what);
	return SYMBOLS_E_INVALID;
}

static int read_head(struct object *object, struct errmsg *error)
{
	if (!holds(object->file, 0, sizeof(object->head)))
		return refuse(error, "it is shorter than the head of an ELF file");
	memcpy(&object->head, object->file.data, sizeof(object->head));
	if (memcmp(object->head.e_ident, ELFMAG, SELFMAG) != 0)
		return refuse(error, "it is no ELF file");
	if (object->head.e_ident[EI_CLASS] != ELFCLASS64 || object->head.e_ident[EI_DATA] != ELFDATA2LSB)
		return refuse(error, "it is not for a 64-bit, little-endian machine");
	if (object->head.e_type != ET_DYN)
		return refuse(error, "it is no shared object: link it with -shared");
	if (object->head.e_shentsize != sizeof(Elf64_Shdr) ||
	    !holds(object->file, object->head.e_shoff, (uint64_t)object->head.e_shnum * sizeof(Elf64_Shdr)))
		return refuse(error, "its table of sections is cut or malformed");
	return 0;
}

static Elf64_Shdr section_at(const struct object *object, uint32_t n)
{
	Elf64_Shdr section = {0};

	if (n < object->head.e_shnum)
		memcpy(&section, (const char *)object->file.data + object->head.e_shoff + (uint64_t)n * sizeof(section),
		       sizeof(section));
	return section;
}

static bool is_exported(const Elf64_Sym *symbol)
{
	unsigned int bind = ELF64_ST_BIND(symbol->st_info), see = ELF64_ST_VISIBILITY(symbol->st_other);

	return symbol->st_shndx != SHN_UNDEF && (bind == STB_GLOBAL || bind == STB_WEAK) &&
	       (see == STV_DEFAULT || see == STV_PROTECTED);
}

static int add_symbols(const struct object *object, const Elf64_Shdr *table, struct buffer *names, size_t *n,
		       struct errmsg *error)
{
	Elf64_Shdr texts = section_at(object, table->sh_link);
	const char *file = object->file.data;

	if (table->sh_entsize != sizeof(Elf64_Sym) || !holds(object->file, table->sh_offset, table->sh_size) ||
	    !holds(object->file, texts.sh_offset, texts.sh_size))
		return refuse(error, "its table of symbols is cut or malformed");
	for (uint64_t at = 0; at + sizeof(Elf64_Sym) <= table->sh_size; at += sizeof(Elf64_Sym)) {
		Elf64_Sym symbol;
		size_t left;
		int r;

		memcpy(&symbol, file + table->sh_offset + at, sizeof(symbol));
		if (!is_exported(&symbol) || symbol.st_name >= texts.sh_size)
			continue;
		left = texts.sh_size - symbol.st_name;
		r = names->len ? buffer_append_text(names, ", ") : 0;
		if (r == 0)
			r = buffer_append(names, file + texts.sh_offset + symbol.st_name,
					  strnlen(file + texts.sh_offset + symbol.st_name, left));
		if (r)
			return err_trace(r);
		(*n)++;
	}
	return 0;
}

int symbols_exported(struct bytes file, struct buffer *names, size_t *ret_n, struct errmsg *error)
{
	struct object object = {.file = file};
	int r = read_head(&object, error);

	*ret_n = 0;
	for (uint32_t i = 0; r == 0 && i < object.head.e_shnum; i++) {
		Elf64_Shdr section = section_at(&object, i);

		if (section.sh_type == SHT_DYNSYM)
			r = add_symbols(&object, &section, names, ret_n, error);
	}
	return r;
}
