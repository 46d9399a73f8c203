// The vocabulary file as it is published, byte for byte; FRESCO_VOCABULARY is its path.
    .section .rodata
    .global fresco_vocabulary_begin
    .global fresco_vocabulary_end
    .balign 16
fresco_vocabulary_begin:
    .incbin FRESCO_VOCABULARY
fresco_vocabulary_end:
    .byte 0
    .section .note.GNU-stack, "", %progbits
