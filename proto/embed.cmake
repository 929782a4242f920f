# Writes the file IN as a C array to OUT: cmake -DIN=file.pb -DOUT=file.c -P embed.cmake
file(READ "${IN}" hex HEX)
string(REGEX REPLACE "(................................)" "\\1\n\t" hex "${hex}")
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
file(WRITE "${OUT}.new" "#include \"proto/descriptors.h\"

const unsigned char filmgate_descriptors[] = {
	${bytes}
};

const size_t filmgate_descriptors_size = sizeof(filmgate_descriptors);
")
file(RENAME "${OUT}.new" "${OUT}")
