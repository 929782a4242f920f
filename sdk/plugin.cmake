# filmgate_plugin(NAME SOURCES ... MANIFEST FILE.json [OUTPUT FOLDER]): the target plugin_NAME, which builds
# FOLDER/NAME.so; else it goes into FILMGATE_PLUGIN_DIR, else into the current binary folder. The same file serves in
# this tree and, after find_package(Filmgate), in others.
#
# Hidden visibility, no undefined symbol, one exported symbol. The manifest becomes "fg_manifest.h" with
#     static const char fg_manifest[];   and   FG_MANIFEST_SIZE
# so that the plugin's table can name both in a constant initializer. An array and not a string literal, since C99
# promises literals of 4095 characters only.
function(filmgate_plugin name)
	cmake_parse_arguments(PLUGIN "" "MANIFEST;OUTPUT" "SOURCES" ${ARGN})
	if(NOT PLUGIN_OUTPUT)
		set(PLUGIN_OUTPUT ${FILMGATE_PLUGIN_DIR})
	endif()
	if(NOT PLUGIN_OUTPUT)
		set(PLUGIN_OUTPUT ${CMAKE_CURRENT_BINARY_DIR})
	endif()
	get_filename_component(manifest ${PLUGIN_MANIFEST} ABSOLUTE)
	foreach(source ${PLUGIN_SOURCES})
		get_filename_component(beside ${source} ABSOLUTE)
		get_filename_component(beside ${beside} DIRECTORY)
		if(EXISTS ${beside}/fg_manifest.h)
			message(FATAL_ERROR "${beside}/fg_manifest.h lies beside ${source}: it would be taken for the header that is "
				"made from ${manifest} here, and later changes of that be lost. Remove it; for builds without CMake, write "
				"it into another folder")
		endif()
	endforeach()
	set(generated ${CMAKE_CURRENT_BINARY_DIR}/${name}.manifest)
	file(READ ${manifest} hex HEX)
	# Character constants: a byte above 0x7f would overflow a signed char as a plain number.
	string(REGEX REPLACE "(..)" "'\\\\x\\1'," list "${hex}")
	string(REPEAT "'....'," 16 row)
	string(REGEX REPLACE "(${row})" "\\1\n\t" list "${list}")
	file(CONFIGURE OUTPUT ${generated}/fg_manifest.h CONTENT
"/* Made from the manifest of @name@; do not edit. */
static const char fg_manifest[] = {
	@list@0,
};
#define FG_MANIFEST_SIZE (sizeof(fg_manifest) - 1)
" @ONLY)
	set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${manifest})

	add_library(plugin_${name} MODULE ${PLUGIN_SOURCES})
	target_include_directories(plugin_${name} PRIVATE ${generated})
	target_link_libraries(plugin_${name} PRIVATE Filmgate::sdk)
	# The flags of this tree; elsewhere they are the author's.
	if(TARGET filmgate_flags)
		target_link_libraries(plugin_${name} PRIVATE filmgate_flags)
	endif()
	target_compile_options(plugin_${name} PRIVATE -pedantic)
	target_link_options(plugin_${name} PRIVATE -Wl,--version-script=${FILMGATE_PLUGIN_MAP})
	# clang links the sanitizer's runtime into the program only, so a module of its has open symbols.
	if(NOT (FILMGATE_SANITIZE AND CMAKE_C_COMPILER_ID MATCHES Clang))
		target_link_options(plugin_${name} PRIVATE -Wl,-z,defs)
	endif()
	set_target_properties(plugin_${name} PROPERTIES
		C_STANDARD 99 C_EXTENSIONS OFF PREFIX "" OUTPUT_NAME ${name} C_VISIBILITY_PRESET hidden LINK_DEPENDS ${FILMGATE_PLUGIN_MAP}
		LIBRARY_OUTPUT_DIRECTORY ${PLUGIN_OUTPUT})
endfunction()
