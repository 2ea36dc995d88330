/* void fy_switch(void **save_sp, void *load_sp): System V ABI for x86-64.
 * Saves what a callee must preserve, also the SSE and x87 control words, then swaps stacks. */
	.text
	.globl fy_switch
	.hidden fy_switch
	.type fy_switch, @function
fy_switch:
	.cfi_startproc
	endbr64
	pushq %rbp
	pushq %rbx
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	subq $8, %rsp
	stmxcsr (%rsp)
	fnstcw 4(%rsp)
	movq %rsp, (%rdi)
	movq %rsi, %rsp
	ldmxcsr (%rsp)
	fldcw 4(%rsp)
	addq $8, %rsp
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbx
	popq %rbp
	ret
	.cfi_endproc
	.size fy_switch, .-fy_switch
	.section .note.GNU-stack, "", @progbits
	.section .note.gnu.property, "a"
	.p2align 3
	.long 4, 16, 5
	.asciz "GNU"
	.long 0xc0000002, 4, 3, 0      /* this object is fit for IBT and SHSTK marking */
