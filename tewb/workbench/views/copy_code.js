// A click on the button beside the program.
const program = this.parentElement.querySelector('.tw-program').textContent;
navigator.clipboard.writeText(program).then(() => {
  this.textContent = 'Copied';
  setTimeout(() => { this.textContent = 'Copy code'; }, 1500);
});
